import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { argumentsFor, laidOut, type Partition, type Size } from "./layout.ts";
import type { LayoutName } from "./options.ts";
import { run } from "./tools.ts";

/** The volume group of a HostOS, and its physical volume: the third partition. */
const GROUP = "hostlvm";

/** MiB: LVM's own default, and what is before the first extent, for its metadata. */
const EXTENT = 4;
const BEFORE = 1;

/** A logical volume. Its place is where its extents are on the disk, one after the other. */
export interface Volume extends Omit<Partition, "number" | "type"> {
  readonly id: string;
  readonly firstExtent: number;
  readonly extents: number;
}

/** Name, UUID of its file system, UUID in LVM's own form, size in MiB. Sizes of `prod` are those of IC-OS. */
const VOLUMES: readonly (readonly [name: string, uuid: string, id: string, size: Size])[] = [
  ["config", "8B0D0F51-5C54-4A0B-9E7B-0E6B4E1E6D01", "hoSt0c-0000-0000-0000-0000-0000-000001", { lab: 64, prod: 100 }],
  ["A_boot", "8B0D0F51-5C54-4A0B-9E7B-0E6B4E1E6D02", "hoSt0c-0000-0000-0000-0000-0000-000002", { lab: 160, prod: 1024 }],
  ["A_root", "8B0D0F51-5C54-4A0B-9E7B-0E6B4E1E6D03", "hoSt0c-0000-0000-0000-0000-0000-000003", { lab: 1536, prod: 10_240 }],
  ["A_var", "8B0D0F51-5C54-4A0B-9E7B-0E6B4E1E6D04", "hoSt0c-0000-0000-0000-0000-0000-000004", { lab: 384, prod: 10_240 }],
  ["B_boot", "8B0D0F51-5C54-4A0B-9E7B-0E6B4E1E6D05", "hoSt0c-0000-0000-0000-0000-0000-000005", { lab: 160, prod: 1024 }],
  ["B_root", "8B0D0F51-5C54-4A0B-9E7B-0E6B4E1E6D06", "hoSt0c-0000-0000-0000-0000-0000-000006", { lab: 1536, prod: 10_240 }],
  ["B_var", "8B0D0F51-5C54-4A0B-9E7B-0E6B4E1E6D07", "hoSt0c-0000-0000-0000-0000-0000-000007", { lab: 384, prod: 10_240 }],
  ["guestos", "8B0D0F51-5C54-4A0B-9E7B-0E6B4E1E6D08", "hoSt0c-0000-0000-0000-0000-0000-000008", { lab: 256, prod: 51_200 }],
];
const GROUP_ID = "hoSt0c-0000-0000-0000-0000-0000-0000vg";
const PHYSICAL_ID = "hoSt0c-0000-0000-0000-0000-0000-0000pv";

/** The disk of a HostOS: three partitions, and the volumes in the third. Partition UUIDs are those of IC-OS. */
export interface HostosDisk {
  readonly partitions: readonly Partition[];
  readonly volumes: readonly Volume[];
}

export function hostosDisk(layout: LayoutName): HostosDisk {
  const extentsOf = (size: Size): number => size[layout] / EXTENT;
  const all = VOLUMES.reduce((sum, [, , , size]) => sum + extentsOf(size), 0);
  const group = BEFORE + all * EXTENT + EXTENT;
  const partitions = laidOut(
    [
      ["esp", "F46600E3-D0E6-4258-9607-E64B13CF7595", { lab: 32, prod: 100 }],
      ["grub", "1A7C28B7-EFE0-4F17-9230-678CF2DF8DB2", { lab: 32, prod: 100 }],
      [GROUP, "735A766A-2047-45C2-AB48-D5EC948DE550", { lab: group, prod: 102_400 }],
    ],
    layout,
  );
  const start = partitions.at(-1)?.startMiB ?? 0;
  let firstExtent = 0;
  const volumes = VOLUMES.map(([name, uuid, id, size]) => {
    const extents = extentsOf(size);
    const startMiB = start + BEFORE + firstExtent * EXTENT;
    const volume = { ...{ name, uuid, id, firstExtent, extents, startMiB }, sizeMiB: size[layout] };
    firstExtent += extents;
    return volume;
  });
  return { partitions, volumes };
}

/** The kernel command line of a slot. */
export function hostosArguments(slot: "A" | "B"): string {
  return argumentsFor(slot, [`root=/dev/mapper/${GROUP}-${slot}_root`]);
}

/**
 * Writes the volume group into its partition of a disk image: LVM's own programs, those of the image, read the group from a description of it,
 * with the UUIDs that every image has. No device-mapper is needed: nothing is activated.
 *
 * @param system the image's root tree
 * @param work a folder for files on their way
 */
export async function makeVolumeGroup(
  disk: string,
  { partitions, volumes }: HostosDisk,
  { system, work, epoch }: { readonly system: string; readonly work: string; readonly epoch: number },
): Promise<void> {
  const partition = partitions.at(-1);
  if (partition === undefined) throw new Error("no partition for the volume group");
  const [offset, bytes] = [partition.startMiB, partition.sizeMiB].map((size) => String(size * 1024 * 1024));
  const device = (await run("losetup", ["--find", "--show", `--offset=${offset}`, `--sizelimit=${bytes}`, disk])).trim();
  try {
    const description = join(work, `${GROUP}.vg`);
    await writeFile(description, describedGroup(volumes, partition, epoch));
    const config = [
      `devices { use_devicesfile=0 filter=["a|^${device}$|", "r|.*|"] obtain_device_list_from_udev=0 external_device_info_source="none" hints="none" }`,
      `global { locking_dir="${work}" } activation { udev_sync=0 udev_rules=0 } backup { backup=0 archive=0 }`,
    ].join(" ");
    const lvm = async (command: string, ...args: readonly string[]): Promise<string> =>
      run(
        join(system, "lib64/ld-linux-x86-64.so.2"),
        [
          ...["--library-path", join(system, "usr/lib/x86_64-linux-gnu"), join(system, "usr/sbin/lvm")],
          ...[command, "--driverloaded", "n", "--config", config, ...args],
        ],
        // Not the build machine's own configuration.
        { env: { LVM_SYSTEM_DIR: work } },
      );
    await lvm("pvcreate", "--yes", "--uuid", PHYSICAL_ID, "--restorefile", description, device);
    await lvm("vgcfgrestore", "--yes", "--file", description, GROUP);
  } finally {
    await run("losetup", ["--detach", device]);
  }
}

/** The group in the format of vgcfgbackup(8). */
function describedGroup(volumes: readonly Volume[], { sizeMiB }: Partition, epoch: number): string {
  const made = [`creation_time = ${epoch}`, `creation_host = "guestos-boot"`];
  const logical = volumes.map(({ name, id, firstExtent, extents }) =>
    [
      `${name} { id = "${id}" status = ["READ", "WRITE", "VISIBLE"] flags = [] ${made.join(" ")} segment_count = 1`,
      `segment1 { start_extent = 0 extent_count = ${extents} type = "striped" stripe_count = 1 stripes = [ "pv0", ${firstExtent} ] } }`,
    ].join("\n"),
  );
  const sectors = (mib: number): number => (mib * 1024 * 1024) / 512;
  return [
    'contents = "Text Format Volume Group"',
    "version = 1",
    'description = ""',
    ...made,
    `${GROUP} { id = "${GROUP_ID}" seqno = 1 format = "lvm2" status = ["RESIZEABLE", "READ", "WRITE"] flags = []`,
    `extent_size = ${sectors(EXTENT)} max_lv = 0 max_pv = 0 metadata_copies = 0`,
    `physical_volumes { pv0 { id = "${PHYSICAL_ID}" device = "" status = ["ALLOCATABLE"] flags = [] dev_size = ${sectors(sizeMiB)}`,
    `pe_start = ${sectors(BEFORE)} pe_count = ${Math.floor((sizeMiB - BEFORE) / EXTENT)} } }`,
    "logical_volumes {",
    ...logical,
    "} }",
    "",
  ].join("\n");
}
