import { activate, type Action } from "../../boot/unit.ts";
import type { Host } from "../../system/host.ts";

/**
 * Runs `work` with a private, empty folder for tools that write secrets into files in place. The folder belongs on a
 * tmpfs: what is in it must be read back, placed durably, and be gone afterwards, also when the work fails.
 */
export async function inWorkshop<T>(host: Host, folder: string, work: () => Promise<T>): Promise<T> {
  // Tools do not overwrite what a run before may have left.
  await host.remove(folder);
  await host.makeFolder(folder, { mode: 0o700 });
  try {
    return await work();
  } finally {
    await host.remove(folder);
  }
}

/** A program that was killed while a tool worked leaves the secret there: what is missing is that it goes. */
export async function planSweep(host: Host, folder: string): Promise<readonly Action[]> {
  if ((await host.stat(folder)) === undefined) return [];
  return [activate(`remove what an interrupted run left in ${folder}`, async () => host.remove(folder))];
}
