import { Notifier } from "../../base/notifier.ts";
import { watchFiles } from "../../system/files/watch-files.ts";
import type { WatchedMachine } from "../machine.ts";

/** Yields when one of the files that nginx is configured from may have changed. */
export function watchNginxInputs(machine: WatchedMachine, signal: AbortSignal): AsyncIterable<void> {
  const { injected } = machine.layout.config;
  return watchInputs(signal, [injected.bnVars, injected.network, injected.certificateChain, injected.certificateKey]);
}

/** Yields when the file that danted is configured from may have changed. */
export function watchDantedInputs(machine: WatchedMachine, signal: AbortSignal): AsyncIterable<void> {
  const { injected } = machine.layout.config;
  return watchInputs(signal, [injected.bnVars]);
}

async function* watchInputs(signal: AbortSignal, inputs: readonly string[]): AsyncIterable<void> {
  const notifier = new Notifier();
  const files = watchFiles(signal, notifier.notify);
  do {
    // A file that was replaced is watched again from here, and may have changed before that.
    if (files.set(inputs)) notifier.notify();
    yield;
  } while (await notifier.notified(signal));
}
