import { activate, type Action } from "../../boot/unit.ts";
import type { Host } from "../../system/host.ts";

/**
 * Runs `work` with a private, empty folder for tools that write secrets directly into files. The folder must be on a tmpfs. `work` reads
 * the files back and stores them durably; the folder is removed afterwards, also when `work` fails.
 */
export async function inWorkshop<T>(host: Host, folder: string, work: () => Promise<T>): Promise<T> {
  // Tools do not overwrite files that an earlier run may have left.
  await host.remove(folder);
  await host.makeFolder(folder, { mode: 0o700 });
  try {
    return await work();
  } finally {
    await host.remove(folder);
  }
}

/** A run that was killed while a tool worked leaves the secret in the folder: it has to be removed. */
export async function planSweep(host: Host, folder: string): Promise<readonly Action[]> {
  if ((await host.stat(folder)) === undefined) return [];
  return [activate(`remove what an interrupted run left in ${folder}`, async () => host.remove(folder))];
}
