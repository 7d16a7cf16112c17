import { layouts } from "../config/layout/layouts.ts";
import { mediumContents, topLevelEntries } from "../medium/medium-contents.ts";

/** What may be given to the medium's builder, whatever the profile. */
export async function allTopLevelEntries(): Promise<readonly string[]> {
  const contents = await Promise.all(Object.values(layouts).map(mediumContents));
  return [...new Set(contents.flatMap(topLevelEntries))];
}
