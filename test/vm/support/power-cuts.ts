import { setTimeout as delay } from "node:timers/promises";
import type { Snapshots } from "./upgrade.ts";

export const PHASES = ["install", "commit", "first boot", "confirm"] as const;
export type CutPhase = (typeof PHASES)[number];

/** A disk as a power cut at a moment left it. */
export interface Cut {
  readonly phase: CutPhase;
  /** Milliseconds since the phase began, of as many. */
  readonly at: number;
  readonly of: number;
  readonly disk: string;
}

/** Numbers in [0, 1): the same ones for the same seed (Park and Miller's generator). */
export function randomNumbers(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return (state - 1) / 2_147_483_646;
  };
}

/** When power cuts come. */
export interface Pace {
  readonly random: () => number;
  /** Milliseconds between two of them, on average, at the beginning of each phase. */
  readonly pause: Readonly<Record<CutPhase, number>>;
  /** By how much each pause is longer than the one before: a few cuts are enough where this is more than 1, however long it takes. */
  readonly growth: number;
}

/**
 * Does something to a machine, and meanwhile keeps its disk again and again, at random moments.
 *
 * What is kept is every write that the guest saw done. QEMU waits for those in flight; when it is killed they may be lost.
 *
 * @returns what `work` returns, and the disks
 */
export async function withCuts<T>(
  phase: CutPhase,
  snapshots: Snapshots,
  { random, pause, growth }: Pace,
  work: () => Promise<T>,
): Promise<readonly [T, readonly Cut[]]> {
  const start = performance.now();
  let mean = pause[phase];
  let ended: number | undefined;
  const working = work().finally(() => (ended = performance.now() - start));
  working.catch(() => {});
  const moments: { readonly at: number; readonly disk: string }[] = [];
  while (ended === undefined) {
    await Promise.race([delay(2 * mean * random()), working.catch(() => {})]);
    mean *= growth;
    const at = performance.now() - start;
    if (ended === undefined) moments.push({ at, disk: await snapshots.take() });
  }
  const result = await working;
  const of = Math.round(ended);
  return [result, moments.map(({ at, disk }) => ({ phase, at: Math.round(at), of, disk }))];
}

/** So many of them, as far from each other as they are. */
export function spreadOut<T>(all: readonly T[], count: number): readonly T[] {
  if (all.length <= count) return all;
  return Array.from({ length: count }, (_, index) => all[Math.floor(((index + 0.5) * all.length) / count)]).filter(
    (each) => each !== undefined,
  );
}
