import type { Account } from "./accounts.ts";
import type { Command } from "../command.ts";
import type { FileAttributes, Host } from "../host.ts";
import { syncFileSystem } from "../disks/sync.ts";

/** A store of an old node holds millions of files: that takes minutes on a disk, never hours. */
const TIMEOUT = 30 * 60_000;

/**
 * Gives a folder and its content to an account and its primary group, durably. Symbolic links change owner themselves, and are never
 * followed (chown(1), -R without -H or -L).
 *
 * @throws CommandError
 */
export async function takeOwnership(host: Host, folder: string, { uid, gid }: Account): Promise<void> {
  await host.run(chown(folder, uid, gid));
  await syncFileSystem(host, folder);
}

const LONG = { timeout: TIMEOUT, todo: "run it again: what is done already stays done" };

function chown(folder: string, uid: number, gid: number): Command {
  return { ...LONG, program: "chown", args: ["--recursive", "--no-dereference", "--", `${uid}:${gid}`, folder] };
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
  // Until the end it is not as it shall be, whatever it was before.
  await host.setAttributes(folder, { mode: 0o700 });
  await host.run(chown(folder, uid, gid));
  const below = [folder, "-mindepth", "1"];
  await host.run({ ...LONG, program: "find", args: [...below, "-type", "f", "-exec", "chmod", "u=rwX,g=rX,o=", "{}", "+"] });
  await host.run({ ...LONG, program: "find", args: [...below, "-type", "d", "-exec", "chmod", mode.toString(8), "{}", "+"] });
  await syncFileSystem(host, folder);
  await host.setAttributes(folder, { mode });
}
