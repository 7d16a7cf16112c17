import type { Layout } from "../config/layout.ts";
import type { GuestUnit } from "../units/machine.ts";

/** What is run, and where: the real chain on the real machine, or a test's. */
export interface Setup {
  readonly chain: readonly GuestUnit[];
  readonly layout: Layout;
}

/** The GuestOS. Loaded when a command needs it: it brings every unit with it. */
export async function guestosSetup(): Promise<Setup> {
  const [{ guestos }, { guestosLayout }] = await Promise.all([import("../units/guestos.ts"), import("../config/layout.ts")]);
  return { chain: guestos, layout: guestosLayout };
}
