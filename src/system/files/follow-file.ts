import { watch } from "node:fs";
import { dirname } from "node:path";

/**
 * Yields whenever a file may have changed, and at least every so many milliseconds, until the signal is aborted. The first
 * time at once. The file may not be there yet; its folder must be.
 */
export async function* beats(path: string, every: number, signal: AbortSignal): AsyncGenerator<void> {
  let wake = (): void => undefined;
  let pending = false;
  const ring = (): void => {
    pending = true;
    wake();
  };
  // inotify(7) by Node: events of the folder tell of a file that is made later, too.
  const watcher = watch(dirname(path), ring);
  // Who cannot be told still looks now and then.
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
