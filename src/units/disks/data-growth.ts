import { type Action, conflict, type Plan, provision } from "../../boot/unit.ts";
import { mebibytes } from "../../config/text/size-text.ts";
import { mappings, requirePartition } from "../../system/disks/block-devices.ts";
import { extendVolume, type VolumeGroup, volumeGroupOn, volumeMapping } from "../../system/disks/lvm.ts";
import { mountAt } from "../../system/disks/mounts.ts";
import { ProblemError } from "../../base/problem.ts";
import { growXfs, xfsBytes } from "../../system/disks/xfs.ts";
import { lowMark, wantedExtents } from "./data-growth-marks.ts";
import { type Machine, unit } from "../machine.ts";
import { volumeMounts } from "./volume-mounts.ts";
import { besideNode } from "../injection/vm-type.ts";

/**
 * Afterwards the data volume has a tenth of the volume group free, or has taken all free extents, and its file system fills it.
 *
 * The monitor runs it, because the volume fills while the node runs. It requires the mounted volume. Volume and file system are inspected
 * separately: after a power cut between the two, only the file system is left to grow. Both grow while in use, and never shrink. A conflict
 * means that free space is short and the volume cannot grow any more.
 */
export const dataGrowth = unit({
  name: "data-growth",
  title: "Grow the data volume as it fills",
  absent: besideNode,
  requires: [volumeMounts],
  onFailure: "degrade",
  repairs: true,
  // udev may hold the volume open for a moment.
  retryFor: 10_000,
  async plan(machine) {
    const { host, layout } = machine;
    const mountPoint = layout.mountPoints.data;
    const partition = await requirePartition(host, layout.partitions.store);
    const device = `/dev/mapper/${layout.mappings.store(partition.name)}`;
    const mapping = (await mappings(host)).get(volumeMapping(layout.volumeGroup, VOLUME));
    const mounted = await mountAt(host, mountPoint);
    if (mapping === undefined || mounted?.device !== mapping.deviceNumber) {
      throw new ProblemError({
        code: "data-not-mounted",
        what: `${VOLUME} is not mounted, so it cannot grow`,
        expected: `/dev/mapper/${volumeMapping(layout.volumeGroup, VOLUME)} at ${mountPoint}`,
        todo: "guestos-boot --unit volume-mounts",
      });
    }
    const group = await volumeGroupOn(host, device);
    const size = group?.volumes.get(VOLUME);
    if (group?.name !== layout.volumeGroup || size === undefined)
      throw new ProblemError({
        code: "data-volume-not-shown",
        what: `LVM does not show ${VOLUME}`,
        todo: `lvs --all ${layout.volumeGroup}`,
      });
    return await planGrowth(machine, { group, size, device, mountPoint });
  },
});

const VOLUME = "shared-data";

interface Place {
  readonly group: VolumeGroup;
  /** Bytes of the volume. */
  readonly size: number;
  /** The physical volume. */
  readonly device: string;
  readonly mountPoint: string;
}

async function planGrowth({ host, layout }: Machine, { group, size, device, mountPoint }: Place): Promise<Plan> {
  const { extentBytes } = group;
  const taken = [...group.volumes.values()].reduce((sum, bytes) => sum + Math.ceil(bytes / extentBytes), 0);
  const { free } = await host.space(mountPoint);
  const unused = size - (await xfsBytes(host, mountPoint));
  const grow = (bytes: number): Action =>
    provision(`grow the file system at ${mountPoint} to ${mebibytes(bytes)}`, () => growXfs(host, mountPoint));
  // A file system ends with a whole block, and omits a last group of less than 64 blocks (mkfs.xfs(8)): the rest is less than an extent.
  const half = unused >= extentBytes ? [grow(size)] : [];
  const now = Math.round(size / extentBytes);
  const wanted = wantedExtents({
    groupBytes: group.bytes,
    extentBytes,
    freeExtents: group.extents - taken,
    volumeExtents: now,
    freeBytes: free + Math.max(0, half.length === 0 ? 0 : unused),
  });
  if (wanted > now) {
    const bytes = wanted * extentBytes;
    return [
      provision(`grow the volume ${VOLUME} from ${mebibytes(size)} to ${mebibytes(bytes)}`, () =>
        extendVolume(host, device, layout.volumeGroup, VOLUME, wanted),
      ),
      grow(bytes),
    ];
  }
  if (half.length > 0 || free >= lowMark(group.bytes)) return half;
  return conflict({
    code: "data-cannot-grow",
    what: `${VOLUME} is nearly full, and cannot grow`,
    found: `${mebibytes(free)} free at ${mountPoint}, ${group.extents - taken} extents left in ${layout.volumeGroup}`,
    expected: `at least ${mebibytes(lowMark(group.bytes))} free`,
    todo: "give the VM a larger disk, or remove what is not needed",
  });
}
