import { type Action, provision } from "../../boot/unit.ts";
import type { Host } from "../../system/host.ts";
import { makeFileSystem } from "../../system/disks/mkfs.ts";
import { mount, mountAt, unmount } from "../../system/disks/mounts.ts";
import type { Machine } from "../machine.ts";
import { mountOptions } from "./mount-options.ts";

/** What is copied to a new /var besides the image's own: what it is, and the copy to a folder. */
export interface Carried {
  readonly with: string;
  readonly copy: (target: string) => Promise<void>;
}

/**
 * Makes the /var of a system that has not run before. While the intent is only begun, the file system was never used: it is made again,
 * whatever an interrupted boot left.
 *
 * @param uuid of the file system
 */
export function fillVar(machine: Machine, device: string, uuid: string, carried?: Carried): readonly Action[] {
  const { host, layout } = machine;
  const target = layout.runFiles.varMounts.own;
  return [
    provision("make the ext4 file system of /var", async () => {
      await unmountLeftOver(host, target);
      await makeFileSystem(host, device, { fileSystem: "ext4", uuid, label: "var" });
    }),
    provision(`fill it from the image's own /var${carried === undefined ? "" : `, and copy ${carried.with} to it`}`, async () => {
      await host.makeFolder(target, { mode: 0o700 });
      await mount(host, { source: device, mountPoint: target, fileSystem: "ext4", options: mountOptions.var });
      try {
        await host.run({
          program: "cp",
          args: ["--archive", "--one-file-system", `${layout.mountPoints.var}/.`, target],
          timeout: 240_000,
        });
        await carried?.copy(target);
      } finally {
        // Unmounting writes everything to the disk, so that the intent is "complete" only once the content is durable.
        await unmount(host, target);
      }
    }),
  ];
}

/** A run that was killed leaves its mounts behind. */
export async function unmountLeftOver(host: Host, mountPoint: string): Promise<void> {
  if ((await mountAt(host, mountPoint)) !== undefined) await unmount(host, mountPoint);
}
