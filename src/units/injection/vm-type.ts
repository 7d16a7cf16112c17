import { ProblemError } from "../../base/problem.ts";
import { guestVmType } from "../../config/state/guest-vm-type.ts";
import { isOwnSlot } from "../../upgrade/own-slot.ts";
import { mountBoot } from "../disks/mount-boot.ts";
import { type Machine, unit } from "../machine.ts";

/**
 * Afterwards it is known whether this VM is the node itself, or one that its host starts beside it from the other slot, on the same disk:
 * an upgrade VM must not touch what the node is using. The unit waits for that, and changes nothing.
 *
 * It requires GRUB's partition. Where grubenv names the running slot, this is the node, and no medium is waited for. Otherwise the unit
 * config-injection finds out, from config.json. There is no conflict. If it fails, nothing of the node's is opened, and the boot fails.
 */
export const vmType = unit({
  name: "vm-type",
  title: "Find out whether this VM is the node itself",
  requires: [mountBoot],
  awaits: ["/run/config/guest_vm_type"],
  timeout: 150_000,
  retryFor: 120_000,
  async plan({ host, layout }) {
    if ((await isOwnSlot(host, layout)) || (await guestVmType(host, layout)) !== undefined) return [];
    throw new ProblemError(
      {
        code: "vm-type-not-known",
        what: "cannot tell whether this VM is the node itself, or one beside it",
        found: "the slot that grubenv does not name, and no configuration from the host",
        expected: `a configuration medium; then one file in ${layout.guestVmType}`,
        todo: "see the unit config-injection; then: guestos-boot",
      },
      { retryable: true },
    );
  },
});

/**
 * For `absent` of a unit that works on the node's data, or runs the node: only the node itself has it.
 *
 * A type of a later version counts as another VM, as on GuestOS (dfinity/ic, ExecCondition of setup-data-encryption.service).
 */
export async function besideNode({ host, layout }: Machine): Promise<string | undefined> {
  const type = await guestVmType(host, layout);
  return type === undefined || type === "default" ? undefined : `this is not the node itself: the type of this VM is ${type}`;
}
