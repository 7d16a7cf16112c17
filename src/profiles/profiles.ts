import { boundary } from "./boundary.ts";
import { guestos } from "./guestos.ts";
import type { Profile } from "./profile.ts";

/** Every system that this program boots, by name. A new one is its file and a word here. */
export const profiles = { guestos, boundary } satisfies Readonly<Record<string, Profile>>;

export type ProfileName = keyof typeof profiles;

/** That of an image that does not say which system it is. */
export const DEFAULT_PROFILE: ProfileName = "guestos";

export const profileNames: readonly ProfileName[] = Object.keys(profiles).filter(isProfileName);

export function isProfileName(name: string): name is ProfileName {
  return Object.hasOwn(profiles, name);
}
