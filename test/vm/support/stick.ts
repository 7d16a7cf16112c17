import { execFileSync } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { imageOf, stateFolder } from "../../../image/paths.ts";
import { makeDisk } from "../../../lab/disk.ts";
import type { DiskAttachment } from "../../../lab/qemu-command.ts";
import { startVirtualMachine } from "../../../lab/start-virtual-machine.ts";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";
import { kernelBoot } from "./node.ts";

/** The drives of a machine that is installed: sizes that show as T, of files that take what is written. */
export async function emptyDrives(name: string, count: number): Promise<readonly DiskAttachment[]> {
  const folder = stateFolder(name);
  await mkdir(folder, { recursive: true });
  const drives = Array.from({ length: count }, (_, index) => ({ path: join(folder, `drive${index}.qcow2`), serial: `DRIVE${index}` }));
  for (const { path } of drives) {
    await rm(path, { force: true });
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", path, String(2 * 1024 ** 4)]);
  }
  return drives;
}

/** A stick as it comes from `make image PROFILE=setupos`. */
export async function newStick(name: string): Promise<DiskAttachment> {
  const path = await makeDisk({ backing: imageOf("setupos").disk, path: join(stateFolder(name), "stick.qcow2") });
  return { path, interface: "scsi", serial: "STICK" };
}

/**
 * Starts a machine from its stick.
 *
 * @param waits the boot chain is not started: a test runs it by itself
 */
export async function startStick(
  name: string,
  stick: DiskAttachment,
  drives: readonly DiskAttachment[],
  { waits = false }: { readonly waits?: boolean } = {},
): Promise<VirtualMachine> {
  return startVirtualMachine({
    name,
    disk: stick,
    extraDisks: drives,
    // Without the firmware's seconds; the stick's own boot loader is in `make lifecycle`.
    boot: await kernelBoot(waits ? ["systemd.mask=guestos-boot.service", "systemd.mask=guestos-setup-screen.service"] : [], "setupos"),
  });
}
