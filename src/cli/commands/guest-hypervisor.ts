import type { GuestPlaces } from "../../guest/places.ts";
import type { Host } from "../../system/host.ts";
import type { Hypervisor } from "../../system/hypervisor/hypervisor.ts";
import { qemu } from "../../system/hypervisor/qemu.ts";
import { virsh } from "../../system/hypervisor/virsh.ts";

export type HypervisorName = "libvirt" | "qemu";

export function hypervisorNamed(name: HypervisorName, host: Host, { folder, libvirt }: GuestPlaces): Hypervisor {
  return name === "qemu" ? qemu(host, folder) : virsh(host, libvirt);
}
