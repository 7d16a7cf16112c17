import { basename } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The files of whole boots, the longest first (minutes each, under emulation). Two run at a time: a long one that begins last would keep a
 * single core busy at the end.
 */
export const LONGEST = [
  ...["node", "upgrade", "conflicts", "monitor", "boundary", "media"],
  ...["services", "crash", "grubenv-crash", "grubenv"],
].map((name) => `${name}.test.ts`);

/** Vitest's own order, which knows durations only where it has run before, with the files of whole boots in front. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is Vitest's, and makes a new one
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = moduleId.includes("/test/vm/") ? LONGEST.indexOf(basename(moduleId)) : -1;
  return place === -1 ? LONGEST.length : place;
}
