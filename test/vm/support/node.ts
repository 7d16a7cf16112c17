import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { ProfileName } from "../../../src/profiles/profiles.ts";
import { type BootReport, bootReport, consoleEvents } from "../../../lab/console.ts";
import { makeDisk } from "../../../lab/disk.ts";
import { withPanicRetry } from "../../../lab/panic-retry.ts";
import { imageOf, stateFolder } from "../../../image/paths.ts";
import { withoutRootHash } from "../../../image/verity.ts";
import { GuestPanicError } from "../../../lab/problems.ts";
import type { BootWay, DiskInterface } from "../../../lab/qemu-command.ts";
import { startVirtualMachine, type VirtualMachineOptions } from "../../../lab/start-virtual-machine.ts";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";
import { configMedium, type ConfigFiles } from "./media.ts";

/** Only ends what hangs: a loaded, emulated machine takes minutes. */
export const BOOT_TIMEOUT = 600_000;

export interface NodeOptions extends Partial<Omit<VirtualMachineOptions, "disk" | "boot" | "name">> {
  /** Unique among all tests: it names the state folder. */
  readonly name: string;
  /** Whose image and medium; a GuestOS's when absent. */
  readonly profile?: ProfileName;
  /** What the disk starts as: the image when absent. */
  readonly from?: string;
  /** Go on with a disk as it is, instead of a new one. */
  readonly disk?: string;
  /** As for qemu-img: "12G". */
  readonly size?: string;
  readonly diskInterface?: DiskInterface;
  /** GRUB when absent; the kernel directly saves some seconds. "unverified": the kernel, and a root whose files were changed may run. */
  readonly boot?: "firmware" | "kernel" | "unverified";
  /** The configuration on a removable USB medium; none when absent. */
  readonly config?: ConfigFiles;
  /** Whether the boot writes down what its units read and write, which `assertCleanBoot` inspects; true when absent. It takes memory. */
  readonly observed?: boolean;
}

/** A test that has another drop-in for that service goes without. */
const OBSERVED = { "systemd.unit-dropin.guestos-boot.service": "[Service]\nEnvironment=GUESTOS_OBSERVE=1\n" };

/** Starts a node and returns at once, without waiting for anything. The caller ends it (`await using`). */
async function startNode(options: NodeOptions): Promise<VirtualMachine> {
  const {
    name,
    profile = "guestos",
    size = "12G",
    diskInterface = "virtio",
    boot = "firmware",
    config,
    media = [],
    observed = true,
    ...others
  } = options;
  const from = options.from ?? imageOf(profile).disk;
  const disk = options.disk ?? (await makeDisk({ backing: from, path: diskOf(name), size }));
  const medium = config === undefined ? [] : [{ id: "config", image: await configMedium(name, config, profile) }];
  return startVirtualMachine({
    ...others,
    name,
    credentials: { ...(observed ? OBSERVED : {}), ...others.credentials },
    disk: { path: disk, interface: diskInterface },
    boot: boot === "firmware" ? { kind: boot } : await kernelBoot([], profile, boot === "kernel"),
    media: [...medium, ...media],
  });
}

/** Where `startNode` puts a node's own disk. */
export function diskOf(name: string): string {
  return join(stateFolder(name), "disk.qcow2");
}

/** Starts a node and waits until systemd has done all that it was asked for, well or badly. */
async function bootNode(options: NodeOptions): Promise<VirtualMachine> {
  const vm = await startNode(options);
  try {
    await untilBooted(vm);
    return vm;
  } catch (error) {
    await vm.powerCut();
    throw error;
  }
}

/** @returns systemd's word for how the boot went: "running", "degraded" */
export async function untilBooted(vm: VirtualMachine): Promise<string> {
  const { stdout } = await vm.shell.run("systemctl is-system-running --wait", { timeout: BOOT_TIMEOUT, readyTimeout: BOOT_TIMEOUT });
  return stdout.trim();
}

/** What the boot chain said on the console, since the position `from` of the serial log. */
export function reportOf(vm: VirtualMachine, from = 0): BootReport {
  return bootReport(consoleEvents(vm.serial.text.slice(from)));
}

export interface SharedNode {
  /**
   * Runs a piece of a test on the shared machine.
   *
   * Where the emulator made the guest's kernel panic, a new machine is booted and the piece is run again: it must
   * hold by itself, and not by what another one left.
   */
  use<T>(piece: (vm: VirtualMachine) => Promise<T>): Promise<T>;
}

/** One booted machine for the tests of a file: booted at the first use, switched off after the last test. */
export function bootedNode(options: NodeOptions | (() => Promise<NodeOptions>)): SharedNode {
  return sharedNode(async () => bootNode(typeof options === "function" ? await options() : options));
}

/** The same, for a machine that is made ready in another way. */
export function sharedNode(boot: () => Promise<VirtualMachine>): SharedNode {
  let current: Promise<VirtualMachine> | undefined;
  const end = async (): Promise<void> => {
    const vm = await current?.catch(() => undefined);
    current = undefined;
    await vm?.powerCut();
  };
  afterAll(end);
  return {
    use: (piece) =>
      withPanicRetry(async () => {
        const failed =
          current === undefined
            ? undefined
            : await current.then(
                ({ failure }) => failure,
                // Any other failure to boot is the answer of every further piece too: to boot again would only take its time again.
                (error: unknown) => (error instanceof GuestPanicError ? error : undefined),
              );
        if (failed !== undefined) await end();
        current ??= boot();
        return piece(await current);
      }),
  };
}

/**
 * @param more what the kernel command line says beyond the image's own
 * @param isVerified without it the root is mounted as that of an older image is, without dm-verity
 */
export async function kernelBoot(more: readonly string[] = [], profile: ProfileName = "guestos", isVerified = true): Promise<BootWay> {
  const image = imageOf(profile);
  const own = (await readFile(image.cmdline, "utf8")).trim();
  const cmdline = isVerified ? own : withoutRootHash(own);
  return { kind: "kernel", kernel: image.kernel, initrd: image.initrd, cmdline: [cmdline, ...more].join(" ") };
}
