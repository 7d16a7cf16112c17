import { layouts } from "../config/layout/layouts.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { ProfileName } from "../config/layout/profile-name.ts";
import type { GuestUnit } from "../units/machine.ts";

/** A system that can be booted: its units in boot order, and where things stand on it (docs/profiles.md). */
export interface Profile {
  readonly chain: readonly GuestUnit[];
  readonly layout: Layout;
}

/** Loaded when it is asked for: it brings every unit with it. */
export async function loadProfile(name: ProfileName): Promise<Profile> {
  return { chain: await chains[name](), layout: layouts[name] };
}

const chains: Readonly<Record<ProfileName, () => Promise<readonly GuestUnit[]>>> = {
  guestos: async () => (await import("./guestos.ts")).guestos,
  boundary: async () => (await import("./boundary.ts")).boundary,
};
