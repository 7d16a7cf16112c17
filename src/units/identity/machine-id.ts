import { conflict, provision } from "../../boot/unit.ts";
import { ProblemError } from "../../base/problem.ts";
import { unit } from "../machine.ts";
import { mountBoot } from "../disks/mount-boot.ts";

/**
 * Afterwards the machine id of the running system is saved in /boot/config/machine-id. At the next boot the initramfs hook binds that file
 * over /etc/machine-id, so the id stays the same across reboots and upgrades.
 *
 * It requires the config partition alone. On a first boot systemd makes an id very early, long before this unit runs. A conflict means that
 * the hook did not restore the saved id. Both ids may then be in use (journals, DHCP leases), and only an operator can decide which one is
 * right. Neither is touched.
 *
 * If it fails, the boot goes on: this boot has an id, but the next one may have another.
 */
export const machineId = unit({
  name: "machine-id",
  title: "Save the machine id",
  requires: [mountBoot],
  owns: ["/boot/config/machine-id"],
  onFailure: "degrade",
  async plan({ host, layout }) {
    const [running, saved] = await Promise.all([host.readText(layout.etc.machineId), host.readText(layout.config.machineId)]);
    const id = parseMachineId(running);
    if (id === undefined) {
      throw new ProblemError({
        code: "machine-id-missing",
        what: "this system runs without a machine id",
        where: { file: layout.etc.machineId },
        found: described(running),
        expected: "32 lowercase hexadecimal digits, as systemd makes them at the first boot",
        todo: "see what systemd says about it (journalctl -b | grep machine-id); /etc/machine-id must be an empty file in the image",
      });
    }
    const savedId = parseMachineId(saved);
    if (savedId === id) return [];
    if (savedId !== undefined) {
      return conflict({
        code: "machine-id-differs",
        what: "this system does not run with the machine id that was saved",
        where: { file: layout.config.machineId },
        // machine-id(5): an id is confidential, so neither is shown in full.
        found: `${savedId.slice(0, 8)}… saved, ${id.slice(0, 8)}… running`,
        expected: "the initramfs hook to bind the saved id over /etc/machine-id before systemd starts",
        todo: `check that the hook is in the initrd (lsinitramfs); to give this machine the running id permanently, remove ${layout.config.machineId} and run guestos-boot --unit machine-id`,
      });
    }
    const why = saved === undefined ? "" : ` (what was saved is ${described(saved)})`;
    return [
      provision(`save the machine id${why}`, async () =>
        host.writeFile(layout.config.machineId, `${id}\n`, { mode: 0o444, uid: 0, gid: 0 }),
      ),
    ];
  },
});

/** machine-id(5): 32 lowercase hexadecimal digits and a newline, not all zero. `undefined` for anything else, as in the initramfs hook. */
export function parseMachineId(text: string | undefined): string | undefined {
  const id = /^([0-9a-f]{32})\n?$/.exec(text ?? "")?.[1];
  return id === undefined || /^0+$/.test(id) ? undefined : id;
}

function described(text: string | undefined): string {
  if (text === undefined) return "no such file";
  if (text.trim() === "") return "an empty file";
  return text.trim() === "uninitialized" ? '"uninitialized"' : "something else";
}
