import { basename } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files of whole boots, the longest first (minutes each, under emulation): begun last, one of them would keep a single core busy at the end. */
const LONGEST = ["upgrade", "conflicts", "node", "crash", "boundary", "monitor", "services", "media"].map((name) => `${name}.test.ts`);

/** Vitest's own order, which knows durations only where it has run before, with the long ones in front. */
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
