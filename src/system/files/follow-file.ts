import { watch } from "node:fs";
import { dirname } from "node:path";
import { Notifier } from "../../base/notifier.ts";

/**
 * Yields at once, then whenever a file may have changed, and at least every `every` milliseconds, until the signal is aborted. The file may
 * be missing at first; its folder must exist.
 */
export async function* beats(path: string, every: number, signal: AbortSignal): AsyncGenerator<void> {
  const notifier = new Notifier();
  // inotify(7) by Node: events of the folder also report a file that is made later.
  const watcher = watch(dirname(path), notifier.notify);
  // Without events, the timer still yields.
  watcher.on("error", () => undefined);
  const timer = setInterval(notifier.notify, every);
  try {
    do yield;
    while (await notifier.notified(signal));
  } finally {
    watcher.close();
    clearInterval(timer);
  }
}
