import { watch } from "node:fs";
import { dirname } from "node:path";

/**
 * Yields at once, then whenever a file may have changed, and at least every `every` milliseconds, until the signal is aborted. The file may
 * be missing at first; its folder must exist.
 */
export async function* beats(path: string, every: number, signal: AbortSignal): AsyncGenerator<void> {
  let wake = (): void => undefined;
  let pending = false;
  const ring = (): void => {
    pending = true;
    wake();
  };
  // inotify(7) by Node: events of the folder also report a file that is made later.
  const watcher = watch(dirname(path), ring);
  // Without events, the timer still yields.
  watcher.on("error", () => undefined);
  const timer = setInterval(ring, every);
  signal.addEventListener("abort", ring, { once: true });
  try {
    while (!signal.aborted) {
      pending = false;
      yield;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (pending || signal.aborted) resolve();
      });
    }
  } finally {
    watcher.close();
    clearInterval(timer);
    signal.removeEventListener("abort", ring);
  }
}
