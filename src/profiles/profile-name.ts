import { nearest } from "../base/nearest.ts";
import { PROFILE_FILE } from "../config/layout/layout.ts";
import { ProblemError } from "../base/problem.ts";
import { quoted } from "../base/quoted.ts";
import type { Host } from "../system/host.ts";
import { DEFAULT_PROFILE, isProfileName, type ProfileName, profileNames } from "./profiles.ts";

/**
 * The name of this machine's profile.
 *
 * @returns "guestos" when the image does not name one
 * @throws ProblemError when the image names an unknown profile: the chain of another system could do any harm
 */
export async function readProfileName(host: Pick<Host, "readText">): Promise<ProfileName> {
  const text = await host.readText(PROFILE_FILE);
  if (text === undefined) return DEFAULT_PROFILE;
  const word = text.replace(/\n$/, "");
  if (isProfileName(word)) return word;
  const meant = nearest(word, profileNames);
  throw new ProblemError({
    code: "profile-unknown",
    what: "the image does not say which profile it has",
    where: { file: PROFILE_FILE, line: 1, column: 1 },
    found: quoted(word),
    expected: `one word, ${profileNames.join(" or ")}${meant === undefined ? "" : `; perhaps ${meant}`}`,
    todo: "correct the file in the image; until then name the profile: guestos-boot --profile NAME",
  });
}
