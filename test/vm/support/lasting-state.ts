import type { VirtualMachine } from "../../../lab/virtual-machine.ts";

/** Everything of a node that a boot must leave as it is; each a script whose output is compared. */
const PARTS: Readonly<Record<string, string>> = {
  "the machine id": "cat /etc/machine-id",
  // Times of folders tell of files that came and went.
  "the config partition": `cd /boot/config && find . -printf '%p %y %m %U:%G %T@\\n' | sort && ${digests(".")}`,
  grubenv: "cat /boot/grub/grubenv",
  "the keys in use": `cd /etc && ${digests("ssh node_exporter")}`,
  "the node's data": `cd /var/lib/ic && find . -printf '%p %y %m %U:%G\\n' | sort && ${digests(".")}`,
  // The mapping of a verified root is of the boot, and not of the disk.
  "file systems and partitions": "lsblk --raw --noheadings --output NAME,TYPE,FSTYPE,PARTUUID,UUID /dev/vda | grep -v ^vroot | sort",
};

function digests(folders: string): string {
  return `find ${folders} -type f -exec sha256sum {} + | sort -k 2`;
}

/** @returns lines by what they tell of */
export async function lastingState(vm: VirtualMachine): Promise<Readonly<Record<string, readonly string[]>>> {
  const state: Record<string, readonly string[]> = {};
  for (const [part, script] of Object.entries(PARTS)) state[part] = (await vm.shell.ok(script)).trimEnd().split("\n");
  return state;
}
