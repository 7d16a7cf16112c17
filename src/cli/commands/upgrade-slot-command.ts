import type { Slot } from "../../config/layout/layout.ts";
import { requireDevice } from "../../system/disks/block-devices.ts";
import { type Host, systemHost } from "../../system/host.ts";
import { ProblemError } from "../../base/problem.ts";
import { requireBootedSlot } from "../../upgrade/booted-slot.ts";
import { grubBoot, otherSlot } from "../../upgrade/boot-state.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { asReader } from "../../run/guards.ts";
import type { Setup } from "../../run/setup.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";

export type Which = "current" | "target" | "next";

export interface SlotRequest {
  readonly which: Which;
  readonly json: boolean;
  /** Print the device of the slot's root partition. */
  readonly partition?: boolean;
  /** Another block than the boot loader's, for `next`. */
  readonly grubenv?: string;
}

/** Prints one letter, or one device, for scripts. */
export async function printSlot(
  { layout }: Setup,
  { which, json, partition = false, grubenv }: SlotRequest,
  terminal: Terminal,
): Promise<ExitName> {
  const host = systemHost();
  const slot = await asReader(async () => slotOf(host, grubenv ?? layout.grubenv, { which, isNamed: grubenv !== undefined }));
  const device = partition ? (await requireDevice(host, layout.partitions.root(slot))).device : undefined;
  if (json) printJson(terminal, { slot, ...(device === undefined ? {} : { device }) });
  else terminal.print(device ?? slot);
  return "ok";
}

async function slotOf(
  host: Host,
  grubenv: string,
  { which, isNamed }: { readonly which: Which; readonly isNamed: boolean },
): Promise<Slot> {
  switch (which) {
    case "current":
      return requireBootedSlot(host);
    case "target":
      return otherSlot(await requireBootedSlot(host));
    case "next":
      return grubBoot(await blockIn(host, grubenv, isNamed)).slot;
  }
}

/** GRUB boots A without a block. A file that was named, and is not there, is a mistake. @throws ProblemError */
async function blockIn(host: Host, file: string, isNamed: boolean): Promise<Uint8Array | undefined> {
  const block = await host.readBytes(file);
  if (block !== undefined || !isNamed) return block;
  throw new ProblemError({
    code: "no-such-block",
    what: "there is no boot loader's block to read",
    where: { file },
    found: "no such file",
  });
}
