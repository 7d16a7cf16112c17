import { topLevelEntries } from "../medium/medium-contents.ts";
import { profiles } from "../profiles/profiles.ts";

/** The entries that the medium's builder accepts in any profile. */
export async function allTopLevelEntries(): Promise<readonly string[]> {
  const contents = await Promise.all(Object.values(profiles).map(async ({ medium }) => medium()));
  return [...new Set(contents.flatMap(topLevelEntries))];
}
