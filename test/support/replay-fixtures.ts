import { join } from "node:path";

/** What plans were answered on machines, and decided: recorded by test/vm/conflicts (docs/reliability.md). */
export const FIXTURES = join(import.meta.dirname, "../fixtures/replays");

/** "the store partition, none × blank" is in "the-store-partition-none-blank.jsonl". */
export function fileOf(name: string): string {
  return `${name.replaceAll(/\W+/g, "-")}.jsonl`;
}
