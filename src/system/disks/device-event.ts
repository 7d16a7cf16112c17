import { watch } from "node:fs/promises";

const UDEV = "/run/udev";
/** There while udev runs. */
export const UDEV_CONTROL = `${UDEV}/control`;
/** What udev found out about a device: b<major>:<minor> or n<interface>, lines "E:KEY=value" (sd-device's own format). */
export const UDEV_DATA = `${UDEV}/data`;

/** Resolves as soon as udev has written down something about a device, or when it is told to stop waiting. */
export async function waitForDeviceEvent(signal: AbortSignal, folder: string = UDEV_DATA): Promise<void> {
  try {
    for await (const _ of watch(folder, { signal })) return;
  } catch (error) {
    if (signal.aborted) return;
    // Without udev there are no events; the caller's own timer is what is left.
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  }
}
