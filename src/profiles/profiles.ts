import { boundary } from "./boundary.ts";
import { guestos } from "./guestos.ts";
import { hostos } from "./hostos.ts";
import type { Profile } from "./profile.ts";
import { setupos } from "./setupos.ts";

/** Every system that this program boots, by name. A new system needs its own file and an entry here. */
export const profiles = { guestos, boundary, hostos, setupos } satisfies Readonly<Record<string, Profile>>;

export type ProfileName = keyof typeof profiles;

/** The profile of an image that does not name one. */
export const DEFAULT_PROFILE: ProfileName = "guestos";

export const profileNames: readonly ProfileName[] = Object.keys(profiles).filter(isProfileName);

export function isProfileName(name: string): name is ProfileName {
  return Object.hasOwn(profiles, name);
}
