import { join } from "node:path";

export type DiskInterface = "virtio" | "nvme" | "scsi";

export interface DiskAttachment {
  /** A qcow2 or raw file. */
  readonly path: string;
  readonly format?: "qcow2" | "raw";
  /** How the guest sees it: /dev/vda, /dev/nvme0n1 or /dev/sda. virtio when absent. */
  readonly interface?: DiskInterface;
  /** The serial number that the guest reads; at most 20 characters (virtio's limit). */
  readonly serial?: string;
  /** Flushes reach the host's own disk. For a disk that must survive the host; a power cut of the guest needs it not. */
  readonly durable?: boolean;
  /**
   * An empty file, in which every write, discard and flush is logged in the dm-log-writes format (512-byte sectors). For
   * virtio and a raw file: other formats have writes of their own, and flushes that take time.
   */
  readonly log?: string;
  /** A file of rules of QEMU's `blkdebug` driver: which writes fail. Not together with `log`. */
  readonly faults?: string;
}

/** A medium in a USB card reader, as a host attaches the configuration. */
export interface Medium {
  /** Names it for `unplug`; letters, digits and hyphens. */
  readonly id: string;
  /** A raw image; the guest may not write to it. */
  readonly image: string;
  /** Whether the kernel sees it as removable; true when absent. */
  readonly removable?: boolean;
}

export type BootWay =
  /** OVMF and the GRUB on the disk: what a node does. */
  | { readonly kind: "firmware" }
  /** Straight into the kernel: saves the firmware's seconds, and tests nothing of GRUB. */
  | { readonly kind: "kernel"; readonly kernel: string; readonly initrd: string; readonly cmdline: string };

/** A port of the guest that can be reached on 127.0.0.1. */
export interface Forward {
  readonly host: number;
  readonly guest: number;
}

export interface QemuOptions {
  readonly name: string;
  /** The state folder; logs and sockets are in it. */
  readonly folder: string;
  readonly accelerator: readonly string[];
  /** MiB. */
  readonly memory: number;
  readonly processors: number;
  readonly boot: BootWay;
  readonly disk: DiskAttachment;
  readonly extraDisks: readonly DiskAttachment[];
  readonly media: readonly Medium[];
  /** No network card at all when absent. */
  readonly forwards: readonly Forward[] | undefined;
  /** Whether an IPv6 router answers in the network. */
  readonly router: boolean;
  /** A second network card, before the other one in every order, whose cable leads nowhere. */
  readonly strayCard: boolean;
  /** systemd system credentials, by SMBIOS strings (systemd.system-credentials(7)). */
  readonly credentials: Readonly<Record<string, string>>;
  /** A hardware watchdog (an Intel 6300ESB), which resets the machine. */
  readonly watchdog: boolean;
  /** A graphics card, so that there is a screen, /dev/tty1: nobody sees it, and /dev/vcs1 shows it. For a start by the firmware. */
  readonly graphics: boolean;
  /** Leave the owner and run on: for `make boot`. */
  readonly background: boolean;
}

/** Where a machine's files are in its state folder. */
export function machineFiles(folder: string) {
  return {
    serialLog: join(folder, "serial.log"),
    serialSocket: join(folder, "serial.sock"),
    qmpSocket: join(folder, "qmp.sock"),
    labSocket: join(folder, "lab.sock"),
    pid: join(folder, "pid"),
    messages: join(folder, "qemu.log"),
    firmwareVariables: join(folder, "OVMF_VARS.fd"),
    facts: join(folder, "machine.json"),
  };
}

/** Read-only firmware code, and the variables of which each machine has its own copy. */
export const firmware = { code: "/usr/share/OVMF/OVMF_CODE.fd", variables: "/usr/share/OVMF/OVMF_VARS.fd" };

/** A global prefix (RFC 3849): the default of QEMU's user network is site-local, which no node takes for an address. */
const guestPrefix = "2001:db8:6772::";

/** The whole of QEMU's command line, without the program. */
export function qemuArguments(options: QemuOptions): readonly string[] {
  const files = machineFiles(options.folder);
  return [
    ...["-name", options.name, "-machine", "q35", ...options.accelerator, "-m", String(options.memory), "-smp", String(options.processors)],
    ...["-nodefaults", "-no-user-config", "-display", "none", "-pidfile", files.pid],
    ...(options.background ? ["-daemonize"] : []),
    // The log gets everything, whether or not someone is connected to the socket.
    ...["-chardev", `socket,id=serial,path=${files.serialSocket},server=on,wait=off,logfile=${files.serialLog}`],
    ...["-serial", "chardev:serial"],
    ...["-chardev", `socket,id=qmp,path=${files.qmpSocket},server=on,wait=off`, "-mon", "chardev=qmp,mode=control"],
    ...["-device", "virtio-serial-pci", "-chardev", `socket,id=lab,path=${files.labSocket},server=on,wait=off`],
    ...["-device", "virtserialport,chardev=lab,name=lab"],
    ...["-device", "virtio-rng-pci", "-device", "qemu-xhci,id=usb"],
    ...(options.watchdog ? ["-device", "i6300esb"] : []),
    // The firmware has a driver of its own for it, and needs none of the card.
    ...(options.graphics ? ["-device", "VGA,romfile="] : []),
    ...bootArguments(options.boot, files.firmwareVariables),
    ...diskArguments(options.disk, 0),
    ...options.extraDisks.flatMap((disk, index) => diskArguments(disk, index + 1)),
    ...options.media.flatMap((medium) => [
      ...["-blockdev", JSON.stringify(mediumBlockDevice(medium))],
      ...["-device", JSON.stringify(mediumDevice(medium))],
    ]),
    ...networkArguments(options.forwards, options.router),
    ...(options.strayCard ? STRAY_CARD : []),
    ...Object.entries(options.credentials).flatMap(([name, value]) => credentialArguments(name, value)),
  ];
}

function bootArguments(boot: BootWay, variables: string): readonly string[] {
  if (boot.kind === "kernel") return ["-kernel", boot.kernel, "-initrd", boot.initrd, "-append", boot.cmdline];
  return [
    ...["-drive", `if=pflash,unit=0,format=raw,readonly=on,file=${firmware.code}`],
    ...["-drive", `if=pflash,unit=1,format=raw,file=${variables}`],
  ];
}

/**
 * Without `durable`, what the guest flushes leaves QEMU's own caches and stops in the host's page cache (QEMU's
 * block/io.c writes its metadata back with cache=unsafe too): it survives QEMU's sudden death, not the host's.
 */
function diskArguments(disk: DiskAttachment, index: number): readonly string[] {
  const node = `disk${index}`;
  const cache = { direct: false, "no-flush": disk.durable !== true };
  const file = { driver: "file", filename: disk.path, discard: "unmap" };
  const content = { driver: disk.format ?? "qcow2", discard: "unmap", "detect-zeroes": "unmap", cache, file };
  const isWatched = disk.log !== undefined || disk.faults !== undefined;
  const common = { drive: node, id: node, ...(index === 0 ? { bootindex: 1 } : {}) };
  const serial = disk.serial ?? node;
  const bus = disk.interface === "scsi" ? ["-device", `virtio-scsi-pci,id=scsi${index}`] : [];
  return [
    "-blockdev",
    JSON.stringify(blockDevice(node, content, disk)),
    ...bus,
    "-device",
    JSON.stringify({ ...device(disk.interface ?? "virtio", index), ...common, serial, ...(isWatched ? ONE_BY_ONE : {}) }),
  ];
}

function blockDevice(node: string, content: object, { log, faults }: DiskAttachment): object {
  if (log !== undefined) return logged(node, content, log);
  const below = faults === undefined ? content : { driver: "blkdebug", discard: "unmap", config: faults, image: content };
  return { ...below, "node-name": node };
}

/** Writes and discards are logged when they are done, and a flush when it is (QEMU's block/blklogwrites.c). */
function logged(node: string, file: object, log: string) {
  const options = { discard: "unmap", "log-sector-size": LOG_SECTOR, log: { driver: "file", filename: log } };
  return { driver: "blklogwrites", "node-name": node, ...options, file };
}

const LOG_SECTOR = 512;
/**
 * QEMU's driver logs a write of zeros in two steps, and what is logged between them spoils the log; its rules for writes know nothing of it. So
 * the guest writes the zeros itself. And QEMU makes one write of neighbouring ones, as long as that has no more pieces than a write may have
 * (IOV_MAX): with the piece that the log adds it has too many, and fails.
 */
const ONE_BY_ONE = { "write-zeroes": false, "request-merging": false };

function device(kind: DiskInterface, index: number): Readonly<Record<string, string>> {
  switch (kind) {
    case "virtio":
      return { driver: "virtio-blk-pci" };
    case "nvme":
      return { driver: "nvme" };
    case "scsi":
      return { driver: "scsi-hd", bus: `scsi${index}.0` };
  }
}

/** The block node of a medium, also for hotplug (blockdev-add). */
export function mediumBlockDevice(medium: Medium) {
  return {
    driver: "raw",
    "node-name": `${medium.id}-image`,
    "read-only": true,
    file: { driver: "file", filename: medium.image, locking: "off" },
  };
}

/** The card reader with the medium in it, also for hotplug (device_add). */
export function mediumDevice(medium: Medium) {
  return { driver: "usb-storage", id: medium.id, bus: "usb.0", drive: `${medium.id}-image`, removable: medium.removable ?? true };
}

/** `ipv4=on` must be said: QEMU takes `ipv6=on` alone to mean that there is no IPv4, and then every forward leads nowhere. */
function networkArguments(forwards: readonly Forward[] | undefined, router: boolean): readonly string[] {
  if (forwards === undefined) return [];
  const ports = forwards.map(({ host, guest }) => `,hostfwd=tcp:127.0.0.1:${host}-:${guest}`).join("");
  return [
    "-netdev",
    `user,id=net0,ipv4=on,${router ? `ipv6=on,ipv6-prefix=${guestPrefix},ipv6-prefixlen=64` : "ipv6=off"}${ports}`,
    "-device",
    `virtio-net-pci,netdev=net0,romfile=,mac=${CARD_MAC},addr=0x10`,
  ];
}

/** Always the same card at the same place, whatever else the machine has: enp0s16. The address is QEMU's own for a first card. */
export const CARD_MAC = "52:54:00:12:34:56";
/** enp0s8. Its hub has no other port. */
const STRAY_CARD = [
  ...["-netdev", "hubport,id=net1,hubid=1"],
  ...["-device", "virtio-net-pci,netdev=net1,romfile=,mac=52:54:00:12:34:99,addr=0x8"],
];

/** Base64, because QEMU splits its arguments at commas and a credential may hold any byte. */
function credentialArguments(name: string, value: string): readonly string[] {
  return ["-smbios", `type=11,value=io.systemd.credential.binary:${name}=${Buffer.from(value).toString("base64")}`];
}
