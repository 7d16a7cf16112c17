import * as z from "../../base/schema.ts";
import { pause, systemClock } from "../../base/clock.ts";
import type { Host } from "../host.ts";
import { ofShape, parseToolJson, toolFlag, toolNumber, toolText } from "../tool-json.ts";

/** A block device as lsblk(8) shows it, with all that lies on it. */
export interface BlockDevice {
  /** The kernel's name: "nvme0n1p3". */
  readonly name: string;
  /** "/dev/nvme0n1p3"; "/dev/mapper/hostlvm-config". */
  readonly path: string;
  /** "259:3", as in mountinfo. */
  readonly number: string;
  /** "disk", "part", "lvm", "crypt", "raid1", "loop", "rom", and others. */
  readonly type: string;
  readonly bytes: number;
  readonly isReadOnly: boolean;
  readonly isRemovable: boolean;
  /** Of a sector, as programs see it. */
  readonly sectorBytes: number;
  /** "nvme", "sata", "usb"; `undefined` for what is no drive. */
  readonly transport: string | undefined;
  readonly model: string | undefined;
  readonly serial: string | undefined;
  readonly wwn: string | undefined;
  /** Of the partition in its table. */
  readonly partitionUuid: string | undefined;
  readonly partitionLabel: string | undefined;
  readonly mountPoints: readonly string[];
  /** Partitions, and what is assembled of it. A device on two others is below each of them. */
  readonly children: readonly BlockDevice[];
}

const COLUMNS = "NAME,KNAME,PATH,MAJ:MIN,TYPE,SIZE,RO,RM,LOG-SEC,TRAN,MODEL,SERIAL,WWN,PARTUUID,PARTLABEL,MOUNTPOINTS";

const Device = z.object({
  kname: z.string(),
  path: z.string(),
  "maj:min": z.pipe(
    z.string(),
    z.transform((found) => found.trim()),
  ),
  type: z.string(),
  size: toolNumber,
  ro: toolFlag,
  rm: toolFlag,
  "log-sec": toolNumber,
  tran: toolText,
  model: toolText,
  serial: toolText,
  wwn: toolText,
  partuuid: toolText,
  partlabel: toolText,
  mountpoints: z._default(z.nullable(z.array(z.nullable(z.string()))), []),
  children: z._default(z.array(z.unknown()), []),
});
const Answer = z.object({ blockdevices: z.array(z.unknown()) });

/** Tries, and milliseconds between two of them. */
const TRIES = 10;
const PAUSE = 300;

/**
 * All block devices of the machine. What goes away while lsblk inspects it has no size of a sector: it is then asked again, for three seconds.
 * udev reads the table of a drive again whenever a program has written to it, and its partitions are gone meanwhile.
 *
 * @throws CommandError, or ProblemError for output that is not known: that is not "no disks"
 */
export async function blockDevices(host: Host): Promise<readonly BlockDevice[]> {
  for (let tries = 1; ; tries += 1) {
    const { stdout } = await host.run({ program: "lsblk", args: ["--json", "--bytes", "--all", "--output", COLUMNS] });
    try {
      return blockDevicesIn(stdout);
    } catch (error) {
      if (tries === TRIES || !VANISHED.test(stdout) || !(await pause(systemClock, PAUSE, host.signal))) throw error;
    }
  }
}

/** As lsblk prints it (util-linux, misc-utils/lsblk.c: the file queue/logical_block_size of the device could not be read). */
const VANISHED = /"log-sec":\s*null/;

/** The same, from its output. */
function blockDevicesIn(output: string): readonly BlockDevice[] {
  return devicesOf(parseToolJson("lsblk", output, Answer).blockdevices);
}

function devicesOf(found: readonly unknown[]): readonly BlockDevice[] {
  // util-linux issue 2871: null in the place of a device.
  return found
    .filter((value) => value !== null)
    .map((value) => {
      const device = ofShape("lsblk", value, Device);
      return {
        ...{ name: device.kname, path: device.path, number: device["maj:min"], type: device.type, bytes: device.size },
        ...{ isReadOnly: device.ro, isRemovable: device.rm, sectorBytes: device["log-sec"], transport: device.tran },
        ...{ model: device.model, serial: device.serial, wwn: device.wwn },
        ...{ partitionUuid: device.partuuid, partitionLabel: device.partlabel },
        mountPoints: (device.mountpoints ?? []).filter((point) => point !== null),
        children: devicesOf(device.children),
      };
    });
}
