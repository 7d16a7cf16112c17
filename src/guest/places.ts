import { join } from "node:path";
import { guestosLayout, type Layout } from "../config/layout/layout.ts";
import { libvirtPlaces, type VirshPlaces } from "../system/hypervisor/virsh.ts";

/** The paths and names that the guest's virtual machine is made of, on the host. */
export interface GuestPlaces {
  /** Exists in an image for development alone: there the configuration says how large the guest is. */
  readonly developmentMark: string;
  /** The guest's disk. */
  readonly disk: string;
  /** Names of partitions on it. */
  readonly partitions: Pick<Layout["partitions"], "grub" | "boot">;
  /** The image with the guest's configuration. */
  readonly medium: string;
  readonly bridge: string;
  readonly firmware: { readonly image: string; readonly variables: string; readonly sev: string };
  /** What the guest writes to its serial port; logs of earlier starts are beside it, as `-1` and so on. */
  readonly serialLog: string;
  /**
   * Kernel and initrd of the machine that runs, its configuration, sockets, mount points: on a tmpfs, listed by root alone. The account of
   * the machine reaches what it is given in it.
   */
  readonly folder: string;
  /** The supervisor's account of the guest. */
  readonly state: string;
  readonly lock: string;
  readonly libvirt: VirshPlaces;
  /** The guest's file in the folder of node_exporter's textfile collector. */
  readonly textfile: string;
}

/** Those of a HostOS (dfinity/ic, ic-os/hostos). */
export function guestPlaces(layout: Layout): GuestPlaces {
  // Not below the program's own folder, into which other accounts do not get.
  const folder = `${layout.run}-vm`;
  return {
    developmentMark: layout.etc.developmentMark,
    disk: "/dev/hostlvm/guestos",
    // The host has other ones.
    partitions: guestosLayout.partitions,
    medium: layout.runFiles.guestMedium.image,
    bridge: layout.bridge ?? "br6",
    firmware: {
      image: "/usr/share/OVMF/OVMF_CODE_4M.fd",
      variables: "/usr/share/OVMF/OVMF_VARS_4M.fd",
      sev: "/usr/share/ovmf/OVMF.amdsev.fd",
    },
    serialLog: "/var/log/libvirt/qemu/guestos-serial.log",
    folder,
    state: join(layout.run, "guest.json"),
    lock: join(layout.run, "guest.lock"),
    libvirt: { ...libvirtPlaces, folder },
    textfile: join(layout.collector, "hostos_guestos_service.prom"),
  };
}
