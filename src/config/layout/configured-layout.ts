import type { BootConfig } from "../boot-config.ts";
import { inSlot, type Layout, type VolumeSize } from "./layout.ts";
import { sizeInBytes } from "../text/size-text.ts";

/** The layout with the names and sizes of a configuration file. */
export function configuredLayout(layout: Layout, { partitions, volumeGroup, volumes, versionFile }: BootConfig["layout"]): Layout {
  const { esp, grub, store, boot, root, var: varPattern } = partitions;
  const sizes = new Map(Object.entries(volumes).map(([name, size]) => [name, volumeSize(size)]));
  return {
    ...layout,
    partitions: { ...layout.partitions, esp, grub, store, boot: inSlot(boot), root: inSlot(root), var: inSlot(varPattern) },
    volumeGroup,
    volumes: layout.volumes.map((volume) => ({ ...volume, size: sizes.get(volume.name) ?? volume.size })),
    versionFile,
  };
}

function volumeSize({ least, share, most }: BootConfig["layout"]["volumes"]["shared-data"]): VolumeSize {
  return { least: sizeInBytes(least), share, ...(most === undefined ? {} : { most: sizeInBytes(most) }) };
}
