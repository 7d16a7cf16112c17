import { randomUUID } from "node:crypto";
import { joined, type Plan, provision } from "../../boot/unit.ts";
import { type Intent, readIntent } from "../../config/state/intent.ts";
import type { VolumeLayout } from "../../config/layout/layout.ts";
import { volumeMapping } from "../../system/disks/lvm.ts";
import { makeFileSystem } from "../../system/disks/mkfs.ts";
import { contentOf } from "../../system/disks/signature.ts";
import { storeKeyKind } from "./key-ring.ts";
import { noteIntent } from "./note-intent.ts";
import { type Machine, unit } from "../machine.ts";
import { verdict } from "./verdict.ts";
import { volumes } from "./volumes.ts";
import { besideNode } from "../injection/vm-type.ts";

/**
 * Afterwards each logical volume holds its file system, or its swap area.
 *
 * It requires the volumes alone. A complete file system is never made again. A conflict means that it is gone, or that something else is in
 * its place.
 */
export const volumeFilesystems = unit({
  name: "volume-filesystems",
  title: "Make the file systems of the store",
  absent: besideNode,
  shapesDisks: true,
  requires: [volumes],
  owns: ["filesystems:store"],
  timeout: 300_000,
  // A disk that does not answer may recover within seconds.
  retryFor: 10_000,
  plan: async (machine) => joined(await Promise.all(machine.layout.volumes.map((volume) => planVolume(machine, volume)))),
});

export function fileSystemIntent(volume: VolumeLayout): string {
  return `filesystem-${volume.name}`;
}

async function planVolume(machine: Machine, volume: VolumeLayout): Promise<Plan> {
  const { host, layout } = machine;
  const name = fileSystemIntent(volume);
  const { fileSystem } = volume;
  const device = `/dev/mapper/${volumeMapping(layout.volumeGroup, volume.name)}`;
  const intent = await readIntent(host, layout.config.intents, name);
  const content = await contentOf(host, device, { mustBeZero: false });
  const proven = intent === undefined && (await storeKeyKind(host, layout)) === "raw";
  const found = verdict({ place: device, intent, content, type: fileSystem, proven });
  if (found.kind === "conflict") return found.conflict;
  if (found.kind === "keep") return [];

  const adopted = found.kind === "adopt" && content.kind === "found" ? content.uuid : undefined;
  const wanted: Intent = intent ?? { version: 1, about: `${fileSystem} on ${device}`, uuid: adopted ?? randomUUID(), phase: "begun" };
  const complete = noteIntent(machine, name, { ...wanted, phase: "complete" }, `that ${fileSystem} on ${volume.name} is complete`);
  if (adopted !== undefined) return [complete];
  return [
    ...(intent === undefined
      ? [noteIntent(machine, name, wanted, `on the config partition that ${volume.name} is about to be made ${fileSystem}`)]
      : []),
    // Also if it was begun before: no unit uses it before it is complete, and an unfinished file system may look like a whole one.
    provision(`make ${fileSystem} on ${volume.name}`, () =>
      makeFileSystem(host, device, { fileSystem, uuid: wanted.uuid, label: volume.name.slice(0, LONGEST_LABEL) }),
    ),
    complete,
  ];
}

/** mkfs.xfs(8): at most 12 characters. */
const LONGEST_LABEL = 12;
