import type { Progress } from "../../upgrade/install.ts";
import type { Terminal } from "../../run/terminal.ts";

const MIB = 1024 * 1024;
/** Milliseconds between two drawings of the bar, and between two lines of a log. */
const REDRAW = 200;
const LOG = 10_000;
/** Milliseconds. The speed is that of the last seconds: an overall mean would hide a stalled transfer. */
const SPEED_WINDOW = 5_000;
const WIDTH = 24;

export interface ProgressDisplay {
  readonly show: (progress: Progress) => void;
  /** Removes the bar, so that the next output begins a line. */
  readonly end: () => void;
}

/**
 * Shows the progress of an install: one redrawn line on a terminal, or a line every few seconds in a log.
 *
 * @param now milliseconds of a monotonic clock
 */
export function progressDisplay(terminal: Terminal, now: () => number): ProgressDisplay {
  const { redraw } = terminal;
  const interval = redraw === undefined ? LOG : REDRAW;
  let phase: Progress["phase"] | undefined;
  let last = -Infinity;
  let samples: { readonly at: number; readonly done: number }[] = [];
  return {
    show(progress) {
      const at = now();
      if (progress.phase !== phase) {
        phase = progress.phase;
        samples = [{ at, done: 0 }];
        // A log gets its first line of a phase after one interval.
        last = redraw === undefined ? at : -Infinity;
      }
      const isLast = progress.done === progress.total;
      if (at - last < interval && !isLast) return;
      last = at;
      samples = [...samples.filter((sample) => at - sample.at <= SPEED_WINDOW).slice(-50), { at, done: progress.done }];
      const text = progressText(progress, speedOf(samples), redraw !== undefined);
      if (redraw === undefined) terminal.complain(text);
      else redraw(text);
    },
    end: () => redraw?.(""),
  };
}

/** Bytes a second between the first and the last sample. */
function speedOf(samples: readonly { readonly at: number; readonly done: number }[]): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.at <= first.at) return undefined;
  return ((last.done - first.done) / (last.at - first.at)) * 1000;
}

const TITLES = { receive: "install  ", "read-back": "read back" } as const;

/** "install   [#####-------]  42 %  310.5 of 739.0 MiB  88.1 MiB/s  0:05 left", as far as it is known. */
export function progressText({ phase, done, total }: Progress, bytesPerSecond: number | undefined, bar: boolean): string {
  const share = total === undefined || total === 0 ? undefined : Math.min(1, done / total);
  const filled = Math.round((share ?? 0) * WIDTH);
  const left = total === undefined || bytesPerSecond === undefined || bytesPerSecond <= 0 ? undefined : (total - done) / bytesPerSecond;
  return [
    TITLES[phase],
    ...(share === undefined || !bar ? [] : [`[${"#".repeat(filled)}${"-".repeat(WIDTH - filled)}]`]),
    ...(share === undefined ? [] : [`${Math.floor(share * 100)} %`.padStart(5)]),
    total === undefined ? `${mib(done)} MiB` : `${mib(done)} of ${mib(total)} MiB`,
    ...(bytesPerSecond === undefined ? [] : [`${mib(bytesPerSecond)} MiB/s`]),
    ...(left === undefined ? [] : [`${minutes(left)} left`]),
  ].join("  ");
}

export function mib(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}

function minutes(seconds: number): string {
  const whole = Math.ceil(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
