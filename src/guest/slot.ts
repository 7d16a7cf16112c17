import { join } from "node:path";
import { ProblemError } from "../base/problem.ts";
import type { Slot } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { blockOf, type BootState, grubBoot, readBootState } from "../upgrade/boot-state.ts";
import { toBeTried } from "../upgrade/decide.ts";
import { writeGrubenvOnDisk } from "../upgrade/grubenv-file.ts";
import { bootArguments } from "./boot-arguments.ts";
import { type GuestBlock, readGuestBlock, UnusableError, withBootPartition } from "./guest-disk.ts";
import type { GuestPlaces } from "./places.ts";

/** What the boot loader's block of the guest says. */
export interface GuestSlot {
  readonly state: BootState;
  /** The slot that the next start boots. */
  readonly next: Slot;
  /** Whether it is then on trial: a guest that does not come up there has had its one try. */
  readonly onTrial: boolean;
}

/** A slot that was chosen, whose kernel is on the host. */
export interface ChosenSlot {
  readonly slot: Slot;
  readonly onTrial: boolean;
  /** Whether it is booted because the system in the other slot had its one try, and was not confirmed. */
  readonly fellBack: boolean;
  readonly kernel: string;
  readonly initrd: string;
  readonly cmdline: string;
}

/** A slot whose choice is written down. */
export interface TakenSlot extends ChosenSlot {
  /**
   * Writes the block as it was before, where the host could not start the slot: its system has not had its try then. Nothing is written where
   * the block is no longer as the choice left it. Only while no guest runs. @throws ProblemError
   */
  readonly giveBack: () => Promise<void>;
}

const MIB = 1024 * 1024;
/** The guest may have written anything: more than these bytes is nothing that boots. The kernel itself takes at most 2048 for its arguments. */
const LIMITS = { kernel: 256 * MIB, initrd: 1024 * MIB, args: 64 * 1024, cmdline: 2048 } as const;

/** The slot of the machine that runs now, which another process started: from the block alone. @throws ProblemError when it cannot be read */
export async function readRunningSlot(host: Host, places: GuestPlaces): Promise<Pick<ChosenSlot, "slot" | "onTrial">> {
  const { state } = await readGuestSlot(host, places);
  // A guest that has chosen the other slot for its next boot still runs in this one.
  if (state.cycle === "first_boot") return { slot: state.alternative === "A" ? "B" : "A", onTrial: false };
  return { slot: state.alternative, onTrial: state.cycle === "failsafe_check" };
}

/** The block, as it is. Changes nothing, and may be called while the guest runs. @throws ProblemError when it cannot be read */
export async function readGuestSlot(host: Host, places: GuestPlaces): Promise<GuestSlot> {
  return slotIn((await readGuestBlock(host, places))?.bytes);
}

/**
 * Chooses the slot as GRUB would, and takes its kernel, initrd and arguments out of the guest's disk. The block is advanced last, when all
 * else is there: after a power cut at any moment, it holds the old state or the new one, and a guest starts from either. Only while no guest
 * runs.
 *
 * A new system whose slot cannot be started has had its try: the block is advanced, so that the next choice is the old system, as after a
 * start that failed. GRUB does the same.
 *
 * @param prepare what the host does for the start besides: where it fails, the slot has not had its try
 * @throws ProblemError when the slot cannot be started, or the host cannot read it, or what `prepare` throws
 */
export async function takeSlot(host: Host, places: GuestPlaces, prepare: (chosen: ChosenSlot) => Promise<void>): Promise<TakenSlot> {
  const before = await readGuestBlock(host, places);
  const { next: slot, onTrial, state } = slotIn(before?.bytes);
  try {
    const label = places.partitions.boot(slot);
    const files = await withBootPartition(host, places, label, async (folder) => copySlot(host, places, slot, folder));
    const chosen: ChosenSlot = { slot, onTrial, fellBack: state.cycle === "failsafe_check", ...files };
    await prepare(chosen);
    await advance(host, places, before);
    return { ...chosen, giveBack: async () => takeBack(host, places, before) };
  } catch (error) {
    if (error instanceof UnusableError && onTrial) await advance(host, places, before);
    throw error;
  }
}

/**
 * Has the next start of the guest try that slot, once: if its system is not confirmed, the start after it boots the other one. One write of one
 * sector, and only for a slot that can be started. Only while no guest runs.
 *
 * @throws UnusableError when nothing in that slot can be started. ProblemError when the disk cannot be read or written
 */
export async function trySlot(host: Host, places: GuestPlaces, slot: Slot): Promise<void> {
  const before = await readGuestBlock(host, places);
  if (before === undefined)
    throw new ProblemError({
      code: "guest-without-grubenv",
      what: "the guest's disk has no block of a boot loader, so no slot can be chosen on it",
      where: { file: places.disk },
      expected: "a file grubenv on its grub partition",
      todo: "install the GuestOS again",
    });
  await withBootPartition(host, places, places.partitions.boot(slot), async (folder) => copySlot(host, places, slot, folder));
  const block = blockOf(toBeTried(slot), readBootState(before.bytes).others);
  await writeGrubenvOnDisk(host, places.disk, before.ranges, before.bytes, block);
}

/** @param block `undefined` where there is none: then A is booted, as by GRUB */
function slotIn(block: Uint8Array | undefined): GuestSlot {
  const { state } = readBootState(block);
  return { state, next: grubBoot(block).slot, onTrial: state.cycle === "first_boot" };
}

/** Writes what GRUB would write as it boots. */
async function advance(host: Host, { disk }: GuestPlaces, before: GuestBlock | undefined): Promise<void> {
  const after = grubBoot(before?.bytes).block;
  if (before !== undefined && after !== undefined) await writeGrubenvOnDisk(host, disk, before.ranges, before.bytes, after);
}

/** Undoes `advance`. */
async function takeBack(host: Host, places: GuestPlaces, before: GuestBlock | undefined): Promise<void> {
  const after = grubBoot(before?.bytes).block;
  const now = await readGuestBlock(host, places);
  if (before === undefined || after === undefined || now === undefined || Buffer.compare(now.bytes, after) !== 0) return;
  await writeGrubenvOnDisk(host, places.disk, now.ranges, now.bytes, before.bytes);
}

async function copySlot(
  host: Host,
  places: GuestPlaces,
  slot: Slot,
  folder: string,
): Promise<Pick<ChosenSlot, "kernel" | "initrd" | "cmdline">> {
  const unusable = (found: string, expected: string): UnusableError =>
    new UnusableError({
      code: "guest-slot-unusable",
      what: `slot ${slot} of the guest cannot be started`,
      found,
      expected,
      todo: "guestos-boot guest slot shows what the next start boots; install the GuestOS again, if there is no other slot",
    });
  const bytesOf = async (name: string, most: number): Promise<number> => {
    const facts = await host.stat(join(folder, name));
    if (facts?.kind === "file" && facts.size > 0 && facts.size <= most) return facts.size;
    throw unusable(
      facts === undefined ? `no ${name} on its boot partition` : `${name}: a ${facts.kind} of ${facts.size} bytes`,
      `a file of 1 to ${most} bytes`,
    );
  };
  const names = { kernel: "vmlinuz", initrd: "initrd.img", args: "boot_args" } as const;
  await bytesOf(names.args, LIMITS.args);
  const cmdline = bootArguments((await host.readText(join(folder, names.args))) ?? "", `BOOT_ARGS_${slot}`);
  if (cmdline === undefined || cmdline.length > LIMITS.cmdline || !/^[\x20-\x7e]*$/.test(cmdline))
    throw unusable(
      cmdline === undefined ? `no line BOOT_ARGS_${slot} in boot_args` : `BOOT_ARGS_${slot}=${JSON.stringify(cmdline.slice(0, 200))}`,
      `at most ${LIMITS.cmdline} printable characters for the kernel`,
    );
  const bytes = { kernel: await bytesOf(names.kernel, LIMITS.kernel), initrd: await bytesOf(names.initrd, LIMITS.initrd) };
  // Others may reach a file in it whose name they know: libvirt gives these two to the account of its machines.
  await host.makeFolder(places.folder, { mode: 0o711 });
  const copies = { kernel: join(places.folder, "kernel"), initrd: join(places.folder, "initrd") };
  for (const file of Object.values(copies)) await host.remove(file);
  const { free } = await host.space(places.folder);
  if (free < bytes.kernel + bytes.initrd)
    throw new ProblemError({
      code: "no-space-for-guest",
      what: "there is no space for the guest's kernel and initrd",
      where: { file: places.folder },
      found: `${free} bytes`,
      expected: `${bytes.kernel + bytes.initrd} bytes`,
      todo: "see what fills it: du -x /run",
    });
  for (const part of ["kernel", "initrd"] as const)
    await host.writeStream(copies[part], pieces(host, join(folder, names[part]), bytes[part]), { mode: 0o600 });
  return { ...copies, cmdline };
}

/** Exactly so many bytes of a file. @throws ProblemError when it has fewer */
async function* pieces(host: Host, path: string, bytes: number): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < bytes;) {
    const piece = await host.readAt(path, done, Math.min(MIB, bytes - done));
    if (piece === undefined || piece.length === 0)
      throw new ProblemError({ code: "guest-file-cut", what: `cannot read all of ${path}`, found: `${done} bytes`, expected: `${bytes}` });
    yield piece;
    done += piece.length;
  }
}
