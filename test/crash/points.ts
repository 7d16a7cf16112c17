import { createHash } from "node:crypto";
import { ProblemError } from "../../src/base/problem.ts";
import { type Piece, piecesOf, seededRandom, type Window } from "./crash-states.ts";

/** A moment at which the power is cut, and what of the writes since the last flush has reached the disk. */
export interface Point {
  /** Index of the window. */
  readonly window: number;
  /** 0: nothing of what was pending. 1: all of it. From 2 on: a part of it, by chance. */
  readonly variant: number;
}

export function pointName({ window, variant }: Point): string {
  return `${window}.${variant}`;
}

/** @throws ProblemError when it is no point of the recording */
export function pointNamed(name: string, windows: readonly Window[]): Point {
  const [, window, variant] = /^(\d+)\.(\d+)$/.exec(name)?.map(Number) ?? [];
  if (window === undefined || variant === undefined || window >= windows.length) {
    throw new ProblemError({
      code: "test-problem",
      what: `${name} is no point of this recording`,
      expected: `WINDOW.VARIANT, with a window below ${windows.length}`,
    });
  }
  return { window, variant };
}

/**
 * Points without end, so that those which were explored are spread evenly over the boot whenever one stops: each falls into the widest gap
 * (van der Corput's sequence). No point comes twice. A window in which nothing is pending is one point.
 */
export function* evenly(windows: readonly Window[]): Generator<Point> {
  const next = new Map<number, number>();
  const rich = windows.flatMap(({ pending }, window) => (pending.length > 0 ? [window] : []));
  for (let n = 0; ; n += 1) {
    const window = Math.floor(vanDerCorput(n) * windows.length);
    if (!next.has(window)) {
      // Every other one is torn, where it can be.
      const torn = hasOddDigits(n) && (windows[window]?.pending.length ?? 0) > 0;
      next.set(window, torn ? 2 : 0);
      yield { window, variant: torn ? 2 : 0 };
    } else {
      // What has only one state has been seen: its neighbour has more.
      const other = rich[Math.floor(vanDerCorput(n) * rich.length)];
      if (other === undefined) {
        if (next.size === windows.length) return;
        continue;
      }
      const variant = Math.max(next.get(other) ?? 1, 1) + 1;
      next.set(other, variant);
      yield { window: other, variant };
    }
  }
}

/** The binary digits of n, mirrored at the point: from 0 to below 1, each in the widest gap that those before it left. */
export function vanDerCorput(n: number): number {
  let [value, step] = [0, 0.5];
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2), step /= 2) if (rest % 2 === 1) value += step;
  return value;
}

/** For every other n, and independent of where n falls (the Thue-Morse sequence): odd numbers all fall into the second half. */
export function hasOddDigits(n: number): boolean {
  return n.toString(2).replaceAll("0", "").length % 2 === 1;
}

/** Bytes. What a disk writes whole; file systems count on no more than a sector. */
const UNITS = [512, 4096, 1024 * 1024] as const;

/** What of the pending writes is kept at that point: always the same for the same seed. */
export function keptAt({ window, variant }: Point, writes: Window, seed: number): readonly Piece[] {
  if (variant === 0) return [];
  const random = seededRandom(createHash("sha256").update(`${seed} ${window} ${variant}`).digest().readUInt32LE());
  const unit = UNITS[Math.floor(random() * UNITS.length)] ?? 512;
  const pieces = piecesOf(writes, unit);
  if (variant === 1) return pieces;
  const share = random();
  // Often a disk has written what came first; now and then anything.
  const inOrder = random() < 0.5;
  return inOrder ? pieces.slice(0, Math.floor(share * (pieces.length + 1))) : pieces.filter(() => random() < share);
}
