import { join } from "node:path";
import type { Layout } from "../../config/layout/layout.ts";
import { Bell } from "../../base/notifier.ts";
import { watchFiles } from "../../system/files/watch-files.ts";
import type { WatchedMachine } from "../watched-machine.ts";

/** Yields when one of the files that nginx is configured from may have changed. */
export function watchNginxInputs(machine: WatchedMachine, signal: AbortSignal): AsyncIterable<void> {
  return watchInputs(machine, signal, ["bn_vars.conf", "network.conf", "certs/fullchain.pem", "certs/privkey.pem"]);
}

/** Yields when the file that danted is configured from may have changed. */
export function watchDantedInputs(machine: WatchedMachine, signal: AbortSignal): AsyncIterable<void> {
  return watchInputs(machine, signal, ["bn_vars.conf"]);
}

async function* watchInputs({ layout }: { readonly layout: Layout }, signal: AbortSignal, names: readonly string[]): AsyncIterable<void> {
  const bell = new Bell();
  const inputs = names.map((name) => join(layout.mountPoints.config, name));
  const files = watchFiles(signal, bell.ring);
  do {
    // What has been replaced is watched anew, and has perhaps changed before that.
    if (files.set(inputs)) bell.ring();
    yield;
  } while (await bell.heard(signal));
}
