import { ProblemError } from "../base/problem.ts";
import { addBootEntry, type BootMenu, bootMenu, hasBootMenu, removeBootEntry } from "../system/hardware/efibootmgr.ts";
import { readPartitionTable } from "../system/disks/sfdisk.ts";
import type { Host } from "../system/host.ts";

/** As IC-OS calls it, and its boot loader, which firmware also finds without an entry. */
const LABEL = "IC-OS";
const LOADER = String.raw`\EFI\BOOT\BOOTX64.EFI`;

/**
 * Makes the firmware start a drive first. Entries of exactly that name are replaced, all others stay; one that is as it shall be is not written
 * again, because the firmware's memory for them wears out.
 *
 * @throws CommandError, or ProblemError where there is no such menu. The drive is found without an entry, too
 */
export async function startFirst(host: Host, drive: string): Promise<void> {
  if (!(await hasBootMenu(host)))
    throw new ProblemError({
      code: "boot-menu-missing",
      what: "the firmware shows no boot menu",
      found: "a start without UEFI, or no efivarfs",
    });
  const esp = (await readPartitionTable(host, drive)).partitions[0]?.uuid;
  const menu = await bootMenu(host);
  if (esp !== undefined && isFirst(menu, esp)) return;
  for (const { number } of ours(menu)) await removeBootEntry(host, number);
  await addBootEntry(host, drive, LABEL, LOADER);
}

function ours({ entries }: BootMenu): BootMenu["entries"] {
  return entries.filter(({ label }) => label === LABEL);
}

/** @param esp the UUID of the drive's first partition */
function isFirst(menu: BootMenu, esp: string): boolean {
  const [only, second] = ours(menu);
  const path = only?.path.toLowerCase() ?? "";
  return second === undefined && only?.number === menu.order[0] && path.includes(`hd(1,gpt,${esp}`) && path.includes(LOADER.toLowerCase());
}
