import { topLevelEntries } from "../medium/medium-contents.ts";
import { profiles } from "../profiles/profiles.ts";

/** What may be given to the medium's builder, whatever the profile. */
export async function allTopLevelEntries(): Promise<readonly string[]> {
  const contents = await Promise.all(Object.values(profiles).map(async ({ medium }) => medium()));
  return [...new Set(contents.flatMap(topLevelEntries))];
}
