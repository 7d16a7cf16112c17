import type { Host } from "../host.ts";

/** Milliseconds. Gigabytes may be pending, on a slow disk. */
const SYNC_TIMEOUT = 600_000;

/** Writes all pending data of the path's file system to the disk: syncfs(2), by sync(1). @throws CommandError */
export async function syncFileSystem(host: Host, path: string): Promise<void> {
  await host.run({ program: "sync", args: ["--file-system", path], timeout: SYNC_TIMEOUT });
}

/** Writes all pending data of devices to them, and makes them write their own caches: fsync(2), by sync(1). LVM does neither. @throws CommandError */
export async function syncDevices(host: Host, devices: readonly string[]): Promise<void> {
  await host.run({ program: "sync", args: ["--", ...devices], timeout: SYNC_TIMEOUT });
}
