/**
 * States that machines are brought into besides the conflicts of the two-key table (test/vm/conflicts): which unit's plans are kept of each, as
 * a fixture (docs/reliability.md).
 */
export const recordedStates = {
  "a header that is gone": ["store-key"],
  "a store partition of zeros": ["store-key"],
  "a key file that is gone": ["store-key"],
  "half a key file": ["store-key"],
  "an empty key file": ["store-key"],
  "the key file of another node": ["store-key"],
  "a header whose first copy is gone": ["store-key"],
  "a mapping that someone else opened": ["store-key"],
  "a partition that the kernel has lost": ["store-key"],
  "a partition that the kernel has lost, without its intent": ["store-key"],
  "two partitions of one name": ["store-key"],
  "a node of the shell chain, another key": ["store-key"],
  "a node of the shell chain": ["store-key", "var", "volumes", "volume-filesystems"],
  "what an interrupted run left": ["store-key", "var", "volumes", "volume-filesystems"],
  "a format that was cut off": ["var"],
  "blank partitions that were begun": ["store-key", "var"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type RecordedState = keyof typeof recordedStates;

/** Each unit's fixture, by a name of its own. */
export function fixturesOf(state: RecordedState): readonly { readonly name: string; readonly unit: string }[] {
  return recordedStates[state].map((unit) => ({ name: `${state}, ${unit}`, unit }));
}
