import { corruptedRoot, type RootVerity, rootVerity } from "../system/disks/root-verity.ts";
import { kernelArguments, requireBootedSlot } from "../upgrade/booted-slot.ts";
import { type Check, type Finding, wrong } from "./check.ts";

/** The kernel names a block that does not match on the console, once. This check still knows of it hours later. */
export const rootCheck: Check = {
  name: "root",
  title: "the root matches its root hash, as far as it was read",
  seen: "dmsetup status vroot",
  async inspect(_, host) {
    // Only on a node the command line is one of ours.
    await requireBootedSlot(host);
    const hasHash = (await kernelArguments(host)).some((word) => word.startsWith("root_hash="));
    const state = await rootVerity(host);
    const fact = state === "none" ? "no root hash on the kernel's command line" : "verified as it is read";
    return { fact, findings: judgeRoot(state, hasHash) };
  },
};

/** @param hasHash whether the kernel's command line has a root hash */
export function judgeRoot(state: RootVerity, hasHash: boolean): readonly Finding[] {
  if (state === "corrupted") return wrong("dmsetup status vroot", corruptedRoot);
  if (state === "intact" || !hasHash) return [];
  return wrong("findmnt --output SOURCE /", {
    code: "root-not-verified",
    what: "the kernel's command line has a root hash, and nothing verifies the root",
    found: "no dm-verity below /",
    todo: "the initramfs of this system lacks the script guestos-verity: install an image that has it",
  });
}
