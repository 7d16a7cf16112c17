/** A virtual machine as data. Paths are absolute; sizes are in MiB. */
export interface VirtualMachine {
  /** Letters, digits and hyphens. */
  readonly name: string;
  readonly uuid: string;
  /** Whether the processor runs the machine (KVM), or QEMU emulates it. */
  readonly accelerated: boolean;
  readonly memory: number;
  /** Whether its memory comes from the huge pages that the host has reserved. */
  readonly hugePages: boolean;
  readonly processors: number;
  /** Absent: the firmware that QEMU brings (SeaBIOS). */
  readonly firmware?: Firmware;
  readonly kernel: string;
  readonly initrd: string;
  /** The kernel's arguments. */
  readonly cmdline: string;
  /** A block device, or a raw image. */
  readonly disk: { readonly path: string; readonly kind: "block" | "file" };
  /** A raw image, attached as a removable USB drive. */
  readonly medium?: string;
  readonly network?: { readonly bridge: string; readonly mac: string };
  /** The context id of its vsock, from 3. */
  readonly vsock?: number;
  /** What it writes to its first serial port goes to this file. */
  readonly serialLog: string;
}

export type Firmware =
  /** UEFI: its image, and the template of its variables. */
  | { readonly kind: "uefi"; readonly image: string; readonly variables: string }
  /** UEFI in memory that the processor encrypts (AMD SEV-SNP): the kernel's and initrd's hashes are measured with it. */
  | { readonly kind: "sev-snp"; readonly image: string };
