import type { Account } from "./accounts.ts";
import { join } from "node:path";
import type { FileAttributes, Host } from "../host.ts";
import { syncFileSystem } from "../disks/sync.ts";

/** A store of an old node holds millions of files: that takes minutes on a disk, never hours. */
const TIMEOUT = 30 * 60_000;

/**
 * Gives a folder to an account and its primary group, and so all in it that another account owns, durably. Symbolic links change owner
 * themselves, and are never followed (chown(1), -h).
 *
 * @throws CommandError
 */
export async function takeOwnership(host: Host, folder: string, { uid, gid }: Account): Promise<void> {
  await change(host, folder, ["-mindepth", "1", "!", "-uid", String(uid), ...chown(uid, gid)]);
  // Last, so that it shows whether all of it was done.
  await host.setAttributes(folder, { uid, gid, mode: (await host.stat(folder))?.mode ?? 0o755 });
}

/**
 * Gives a folder and its content to an account and a group, durably: the account may write, the group may read, and no one else may do
 * anything. Symbolic links change owner themselves, and are never followed. The folder's own mode is set last, so that it shows whether
 * all of it was done.
 *
 * @param owner its mode is that of the folder and of all folders in it
 * @throws CommandError
 */
export async function giveTree(host: Host, folder: string, owner: Required<FileAttributes>): Promise<void> {
  const { uid, gid, mode } = owner;
  if (await isNewFolder(host, folder)) {
    // As on a new node, whose first boot would start a third of its programs for nothing.
    for (const name of (await host.list(folder)) ?? []) await host.setAttributes(join(folder, name), owner);
  } else {
    // Until the end it is not as it shall be, whatever it was before.
    await host.setAttributes(folder, { mode: 0o700 });
    const files = ["-type", "f", "-exec", "chmod", "u=rwX,g=rX,o=", "{}", "+"];
    const folders = ["-type", "d", "-exec", "chmod", mode.toString(8), "{}", "+"];
    await change(host, folder, ["-mindepth", "1", ...chown(uid, gid), "(", ...files, "-o", ...folders, ")"]);
  }
  await host.setAttributes(folder, owner);
}

/** Whether nothing has been put into a folder yet. Not where there is none. */
export async function isNewFolder(host: Host, folder: string): Promise<boolean> {
  return (await host.list(folder))?.every((name) => name === LOST_AND_FOUND) === true;
}

/** Made by mkfs.ext4, for e2fsck. */
const LOST_AND_FOUND = "lost+found";

/** find(1): with the +, it is true whatever the program answers, and a failed one makes find's own status 1. */
function chown(uid: number, gid: number): readonly string[] {
  return ["-exec", "chown", "--no-dereference", `${uid}:${gid}`, "{}", "+"];
}

async function change(host: Host, folder: string, expression: readonly string[]): Promise<void> {
  await host.run({
    program: "find",
    args: ["-P", folder, ...expression],
    timeout: TIMEOUT,
    todo: "run it again: what is done already stays done",
  });
  await syncFileSystem(host, folder);
}
