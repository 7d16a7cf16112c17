import { watch } from "node:fs/promises";

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
