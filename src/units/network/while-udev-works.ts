import { deadlineIn, pause, systemClock } from "../../base/clock.ts";
import { isUdevBusy } from "../../system/network/network-interfaces.ts";
import type { Machine } from "../machine.ts";

/** What a search has found, and whether udev had events left even so: then there was no time left for them. */
export interface Searched<T> {
  readonly found: T | undefined;
  readonly isUdevBusy: boolean;
}

/**
 * Searches again and again while udev works through its events, which may load the driver of a network card or name it. A machine whose udev
 * has no events waits for nothing.
 *
 * @param missing what is searched, for the note about a long wait
 */
export async function whileUdevWorks<T>(
  { host, note }: Pick<Machine, "host" | "note">,
  missing: string,
  search: () => Promise<T | undefined>,
): Promise<Searched<T>> {
  const left = deadlineIn(LONGEST_WAIT);
  for (let isNoted = false; ;) {
    // Before the search: what the last event brings is found.
    const isBusy = await isUdevBusy(host);
    const found = await search();
    if (found !== undefined || !isBusy || left() === 0) return { found, isUdevBusy: isBusy };
    if (!isNoted && left() < LONGEST_WAIT - UNSAID_WAIT) {
      note(`waiting for ${missing}: udev still works through its events`);
      isNoted = true;
    }
    await pause(systemClock, CHECK_AGAIN, host.signal);
    host.signal.throwIfAborted();
  }
}

/** Milliseconds. udev ends an event that takes 180 s (systemd-udevd.service(8), --event-timeout=). */
const LONGEST_WAIT = 240_000;
/** Milliseconds that are usual on a busy host. */
const UNSAID_WAIT = 30_000;
/** Milliseconds. */
const CHECK_AGAIN = 200;
