import type { Layout } from "../config/layout.ts";
import { type ProfileName, readProfileName } from "../config/profile-name.ts";
import { systemHost } from "../system/host.ts";
import type { GuestUnit } from "../units/machine.ts";

/** What is run, and where: the real chain on the real machine, or a test's. */
export interface Setup {
  readonly chain: readonly GuestUnit[];
  readonly layout: Layout;
}

/**
 * The system of that profile, or of the one that the image says it is. Loaded when a command needs it: it brings every unit with it.
 *
 * @throws ProblemError when the image says something that is no profile
 */
export async function profileSetup(name?: ProfileName): Promise<Setup> {
  const [{ loadProfile }, profile] = await Promise.all([import("../units/profiles.ts"), name ?? thisProfile()]);
  return loadProfile(profile);
}

/** The profile of this machine's image. @throws ProblemError as above */
export async function thisProfile(): Promise<ProfileName> {
  return readProfileName(systemHost({ signal: new AbortController().signal }));
}
