import { CommandError } from "../command.ts";
import type { Host } from "../host.ts";
import type { BlockDevice } from "./lsblk.ts";

/** Milliseconds for a tool that closes a layer. A device that hangs must not hold up an installation. */
const LIMIT = 30_000;

/**
 * Closes a device that lies on others, without asking what is on it: an array, a logical volume, an encrypted device. A partition and a drive
 * are not closed.
 *
 * @throws CommandError where something holds it
 */
export async function closeLayer(host: Host, { name, path, type }: BlockDevice): Promise<void> {
  if (type === "part" || type === "disk") return;
  if (/^raid|^md|^linear$/.test(type)) {
    await host.run({ program: "mdadm", args: ["--stop", path], timeout: LIMIT });
    return;
  }
  if (!name.startsWith("dm-")) return;
  // --retry: udev may have it open for a moment.
  await host.run({ program: "dmsetup", args: ["remove", "--retry", path], timeout: LIMIT });
}

/** Tells the kernel to forget the partitions of a drive, and to read those of its table. A drive that is busy for a moment is asked again later. */
export async function readTableAgain(host: Host, drive: string): Promise<void> {
  try {
    await host.run({ program: "blockdev", args: ["--rereadpt", drive], timeout: LIMIT });
  } catch (error) {
    // EBUSY: udev has a partition open. The caller inspects what the kernel sees.
    if (!(error instanceof CommandError)) throw error;
  }
}
