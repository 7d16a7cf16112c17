import { fakeHost, type FakeHost, type FakeMachine } from "./fake-host.ts";

export interface Disk {
  /** In units of 512 bytes. */
  readonly size?: number;
  readonly removable?: boolean;
  /** What virtio shows in sysfs. */
  readonly serial?: string;
  readonly udev?: Readonly<Record<string, string>>;
  /** By name, in no particular order. */
  readonly partitions?: Readonly<
    Record<string, { readonly number: number; readonly size?: number; readonly udev?: Readonly<Record<string, string>> }>
  >;
}

/** sysfs and udev's data for some disks, beside the system's own: /dev/vda with the root on vda5. */
export function machineWithDisks(
  disks: Readonly<Record<string, Disk>>,
  files: Readonly<Record<string, string | Uint8Array>> = {},
  commands: FakeMachine["commands"] = {},
): FakeHost {
  const sysfs: Record<string, string> = {};
  const own: Disk = {
    removable: true,
    serial: "config",
    udev: { ID_FS_LABEL: "CONFIG" },
    partitions: { vda1: { number: 1, udev: { ID_FS_LABEL: "CONFIG" } }, vda5: { number: 5 } },
  };
  let minor = 0;
  const device = (folder: string, size: number, udev: Readonly<Record<string, string>>): void => {
    minor += 1;
    sysfs[`${folder}/dev`] = `253:${minor}\n`;
    sysfs[`${folder}/size`] = `${size}\n`;
    sysfs[`/run/udev/data/b253:${minor}`] = [
      "S:disk/by-id/x",
      ...Object.entries(udev).map(([key, value]) => `E:${key}=${value}`),
      "G:systemd",
      "",
    ].join("\n");
  };
  for (const [name, disk] of Object.entries({ vda: own, ...disks })) {
    const folder = `/sys/class/block/${name}`;
    device(folder, disk.size ?? 2048, disk.udev ?? {});
    sysfs[`${folder}/removable`] = disk.removable === true ? "1\n" : "0\n";
    if (disk.serial !== undefined) sysfs[`${folder}/serial`] = disk.serial;
    for (const [part, { number, size = 1024, udev = {} }] of Object.entries(disk.partitions ?? {})) {
      device(`/sys/class/block/${part}`, size, udev);
      for (const root of [`/sys/class/block/${part}`, `${folder}/${part}`]) {
        sysfs[`${root}/partition`] = `${number}\n`;
        sysfs[`${root}/uevent`] = `DEVNAME=${part}\nDEVTYPE=partition\nPARTN=${number}\n`;
      }
    }
  }
  const number = sysfs["/sys/class/block/vda5/dev"]?.trim() ?? "";
  return fakeHost({
    files: { ...sysfs, "/proc/self/mountinfo": `1 0 ${number} / / ro - ext4 /dev/vda5 ro\n`, ...files },
    links: { [`/sys/dev/block/${number}`]: "../../devices/pci0000:00/block/vda/vda5" },
    commands,
  });
}

/** A boot sector as mkfs.vfat(8) makes it; FAT32 has no count of sectors for a table of 16 bits. */
export function fatBootSector(bits: 12 | 32, label = "NO NAME"): Buffer {
  const sector = Buffer.alloc(512);
  sector.set([0xeb, 0x3c, 0x90], 0);
  sector.writeUInt16LE(512, 11);
  sector.set([4, 1, 0, 2], 13);
  sector.writeUInt8(0xf8, 21);
  if (bits === 32) sector.writeUInt32LE(500, 36);
  else sector.writeUInt16LE(3, 22);
  const at = bits === 32 ? 66 : 38;
  sector.writeUInt8(0x29, at);
  sector.write(label.padEnd(11), at + 5, "latin1");
  sector.set([0x55, 0xaa], 510);
  return sector;
}
