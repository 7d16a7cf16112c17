import type { Interval } from "./timeline.ts";

/** The positions of moments in a picture. All runs have one scale; long pauses between them are cut short. */
export interface Axis {
  readonly x: (seconds: number) => number;
  readonly ticks: readonly { readonly seconds: number; readonly x: number }[];
  /** The places where time was cut out, in pixels, and the seconds cut. */
  readonly cuts: readonly { readonly from: number; readonly to: number; readonly seconds: number }[];
}

/** Pixels of a cut. */
const CUT_WIDTH = 44;
/** A pause is cut out where it would take more than this share of the shown time. */
const LONGEST_PAUSE = 0.06;

/** @param intervals to show, in order, without overlap */
export function axisOver(intervals: readonly Interval[], left: number, width: number): Axis {
  const shown = intervals.reduce((sum, { start, end }) => sum + end - start, 0);
  const isCut = (pause: number): boolean => pause > LONGEST_PAUSE * shown;
  const pauses = intervals.slice(1).map(({ start }, index) => start - (intervals[index]?.end ?? start));
  const cutPauses = pauses.filter(isCut);
  const total = shown + pauses.reduce((sum, pause) => sum + (isCut(pause) ? 0 : Math.max(0, pause)), 0);
  const scale = (width - cutPauses.length * CUT_WIDTH) / Math.max(total, 1e-6);
  const pieces: (Interval & { readonly x: number })[] = [];
  const cuts: { from: number; to: number; seconds: number }[] = [];
  let at = left;
  for (const [index, { start, end }] of intervals.entries()) {
    const before = intervals[index - 1];
    const pause = before === undefined ? 0 : start - before.end;
    if (isCut(pause)) {
      cuts.push({ from: at, to: at + CUT_WIDTH, seconds: pause });
      at += CUT_WIDTH;
    } else {
      at += Math.max(0, pause) * scale;
    }
    pieces.push({ start, end, x: at });
    at += (end - start) * scale;
  }
  const x = (seconds: number): number => {
    const piece = pieces.findLast(({ start }) => start <= seconds) ?? pieces[0];
    return piece === undefined ? left : piece.x + (seconds - piece.start) * scale;
  };
  const step = tickStep(90 / scale);
  const ticks = pieces.flatMap(({ start, end }) => {
    const first = Math.ceil(start / step - 1e-9);
    const count = Math.max(0, Math.floor(end / step + 1e-9) - first + 1);
    const moments = Array.from({ length: count }, (_, index) => (first + index) * step);
    // A short run between two ticks still shows when it was.
    return (moments.length === 0 ? [start] : moments).map((seconds) => ({ seconds, x: x(seconds) }));
  });
  return { x, ticks, cuts };
}

/** The smallest of 1, 2 and 5 times a power of ten that is at least `least`. */
function tickStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10) * power;
}

/** `0.25 s`, `120 s`. */
export function tickText(seconds: number): string {
  return `${Number(seconds.toFixed(seconds < 10 ? 3 : 1))} s`;
}
