import { mebibytes } from "../config/text/size-text.ts";
import { type Layout, volumeBytes } from "../config/layout/layout.ts";
import { type Mapping, mappings } from "../system/disks/block-devices.ts";
import { type VolumeGroup, volumeGroupOn, volumeMapping } from "../system/disks/lvm.ts";
import { ProblemError } from "../base/problem.ts";
import { volumeNotActive } from "../units/disks/disk-problems.ts";
import { storeDevice } from "../units/disks/volumes.ts";
import { type Check, type Finding, notice, wrong } from "./check.ts";

/** The unit `volumes` checks that the volumes exist. This check covers their sizes, and whether the kernel agrees with LVM. */
export const volumesCheck: Check = {
  name: "volumes",
  title: "the volumes of the store have their sizes",
  about: ["volumes"],
  seen: "lvs --all",
  within: 60_000,
  async inspect({ layout }, host) {
    const active = await mappings(host);
    const device = await storeDevice({ host, layout }, active);
    const group = await volumeGroupOn(host, device);
    if (group?.name !== layout.volumeGroup) {
      throw new ProblemError({
        code: "volume-group-not-shown",
        what: `LVM does not show the volume group ${layout.volumeGroup} on ${device}`,
        found: group?.name ?? "no volume group",
        todo: "pvs --all",
      });
    }
    const taken = [...group.volumes.values()].reduce((sum, bytes) => sum + bytes, 0);
    return {
      fact: `${group.volumes.size} volumes, ${mebibytes(group.bytes - taken)} left to grow into`,
      findings: judgeVolumes(layout, group, active),
    };
  },
};

export function judgeVolumes(layout: Layout, group: VolumeGroup, active: ReadonlyMap<string, Mapping>): readonly Finding[] {
  const seen = `lvs --all --units b ${layout.volumeGroup}`;
  return layout.volumes.flatMap(({ name, size }) => {
    const bytes = group.volumes.get(name);
    if (bytes === undefined) {
      return wrong(seen, {
        code: "volume-missing",
        what: `the volume ${name} is missing`,
        todo: "it is never made again: docs/operator.md, 'Conflicts'",
      });
    }
    const mapped = active.get(volumeMapping(layout.volumeGroup, name))?.bytes;
    if (mapped === undefined) {
      return wrong(seen, volumeNotActive(name));
    }
    if (mapped !== bytes) {
      return wrong(seen, {
        code: "volume-size-differs",
        what: `the kernel has another size of the volume ${name} than LVM`,
        found: `${mapped} bytes`,
        expected: `${bytes} bytes`,
        todo: `lvchange --refresh ${layout.volumeGroup}/${name}`,
      });
    }
    const share = Math.floor(volumeBytes(size, group.bytes) / group.extentBytes) * group.extentBytes;
    if (bytes >= share) return [];
    // Made when the disk was smaller, or by hand.
    return notice(seen, {
      code: "volume-too-small",
      what: `the volume ${name} is smaller than a node of this size would make it`,
      found: mebibytes(bytes),
      expected: mebibytes(share),
      todo: "nothing, while it has space; otherwise lvextend(8) grows it",
    });
  });
}
