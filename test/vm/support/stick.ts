import { execFileSync } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { imageOf, stateFolder } from "../../../image/paths.ts";
import type { Accelerator } from "../../../lab/accelerator.ts";
import { makeDisk } from "../../../lab/disk.ts";
import type { DiskAttachment } from "../../../lab/qemu-command.ts";
import { startVirtualMachine } from "../../../lab/start-virtual-machine.ts";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";
import { kernelBoot } from "./node.ts";

/**
 * The drives of a machine that is installed: sizes that show as T, of files that take what is written.
 *
 * @param accelerator a user-mode machine has raw ones
 */
export async function emptyDrives(name: string, count: number, accelerator?: Accelerator): Promise<readonly DiskAttachment[]> {
  const folder = stateFolder(name);
  const format = formatFor(accelerator);
  await mkdir(folder, { recursive: true });
  const drives = Array.from({ length: count }, (_, index) => ({
    ...{ path: join(folder, `drive${index}.${format}`), format, serial: `DRIVE${index}` },
  }));
  for (const { path } of drives) {
    await rm(path, { force: true });
    execFileSync("qemu-img", ["create", "-q", "-f", format, path, String(2 * 1024 ** 4)]);
  }
  return drives;
}

/** A stick as it comes from `make image PROFILE=setupos`. */
export async function newStick(name: string, accelerator?: Accelerator): Promise<DiskAttachment> {
  const format = formatFor(accelerator);
  const path = await makeDisk({ backing: imageOf("setupos").disk, path: join(stateFolder(name), `stick.${format}`), format });
  return { path, format, interface: "scsi", serial: "STICK" };
}

function formatFor(accelerator: Accelerator | undefined): "qcow2" | "raw" {
  return accelerator?.kind === "user-mode" ? "raw" : "qcow2";
}

interface StickOptions {
  /** The boot chain is not started: a test runs it by itself. */
  readonly waits?: boolean;
  /** Whether the screen is shown, which restarts the machine at a good end. By default where the boot chain is started. */
  readonly screen?: boolean;
  readonly accelerator?: Accelerator | undefined;
  /** The machine is checked, as outside a laboratory. */
  readonly checks?: boolean;
  readonly credentials?: Readonly<Record<string, string>>;
  /** By the firmware and the boot loader of the stick, and with a screen. */
  readonly firmware?: boolean;
}

/** Starts a machine from its stick. */
export async function startStick(
  name: string,
  stick: DiskAttachment,
  drives: readonly DiskAttachment[],
  { waits = false, screen = !waits, accelerator, checks = false, credentials = {}, firmware = false }: StickOptions = {},
): Promise<VirtualMachine> {
  return startVirtualMachine({
    name,
    disk: stick,
    extraDisks: drives,
    ...(accelerator === undefined ? {} : { accelerator }),
    graphics: firmware,
    credentials,
    // Without the firmware's seconds.
    boot: firmware
      ? { kind: "firmware" }
      : await kernelBoot(
          [
            ...(checks ? ["ic.setupos.run_checks=1"] : []),
            ...(waits ? ["systemd.mask=guestos-boot.service"] : []),
            ...(screen ? [] : ["systemd.mask=guestos-setup-screen.service"]),
          ],
          "setupos",
        ),
  });
}
