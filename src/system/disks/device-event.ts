import { watch } from "node:fs/promises";
import type { Host } from "../host.ts";
import { kernelName } from "./block-devices.ts";

const UDEV = "/run/udev";
/** Exists while udev runs. */
export const UDEV_CONTROL = `${UDEV}/control`;
/** Exists while udev has events to work through. */
export const UDEV_QUEUE = `${UDEV}/queue`;
/** udev's records of devices: b<major>:<minor> or n<interface>, lines "E:KEY=value" (sd-device's own format). */
export const UDEV_DATA = `${UDEV}/data`;

/** Resolves as soon as udev has written a record of a device, or when the signal is aborted. */
export async function waitForDeviceEvent(signal: AbortSignal, folder: string = UDEV_DATA): Promise<void> {
  try {
    for await (const _ of watch(folder, { signal })) return;
  } catch (error) {
    if (signal.aborted) return;
    // Without udev there are no events, and only the caller's own timer ends the wait.
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  }
}

/**
 * Has udev look at what was made on a device. By itself it misses what is written while it looks at something earlier there (it watches no
 * device meanwhile: systemd.io/BLOCK_DEVICE_LOCKING; its locks are not for device-mapper), and lsblk and /dev/disk/by-uuid would be wrong
 * until the next boot. Nothing is done where no udev runs.
 */
export async function announceContent(host: Host, device: string): Promise<void> {
  if ((await host.stat(UDEV_CONTROL)) === undefined) return;
  await host.writeInPlace(`/sys/class/block/${await kernelName(host, device)}/uevent`, "change");
}
