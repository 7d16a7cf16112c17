import type { Host } from "../host.ts";
import { announceContent } from "./device-event.ts";

/**
 * Makes an empty file system of that UUID. Destroys the existing content: the caller has an intent and a blank probe.
 *
 * Forced: the tools refuse a device that seems to hold a file system, and half of one from an interrupted run seems so. No discard: the
 * device is new, and on an encrypted one discards would not get through anyway.
 */
export async function makeFileSystem(host: Host, device: string, request: FileSystemRequest): Promise<void> {
  await runMkfs(host, device, request);
  await announceContent(host, device);
}

async function runMkfs(host: Host, device: string, { fileSystem, uuid, label }: FileSystemRequest): Promise<void> {
  switch (fileSystem) {
    case "ext4":
      await host.run({
        program: "mkfs.ext4",
        args: ["-q", "-F", "-U", uuid, "-L", label, "-E", "nodiscard", device],
        timeout: 10 * 60_000,
      });
      return;
    case "xfs":
      // crc=1,reflink=1 because the node's software relies on them (snapshots of its state by reflink); -K: no discard.
      await host.run({
        program: "mkfs.xfs",
        args: ["-q", "-f", "-K", "-m", `uuid=${uuid},crc=1,reflink=1`, "-L", label, device],
        timeout: 10 * 60_000,
      });
      return;
    case "swap":
      await host.run({ program: "mkswap", args: ["--force", "--uuid", uuid, "--label", label, device] });
      return;
  }
}

export interface FileSystemRequest {
  readonly fileSystem: "ext4" | "xfs" | "swap";
  readonly uuid: string;
  /** At most 12 characters: the limit of xfs. */
  readonly label: string;
}
