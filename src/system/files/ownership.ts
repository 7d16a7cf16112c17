import type { Account } from "./accounts.ts";
import type { Host } from "../host.ts";
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
  await host.run({
    program: "chown",
    args: ["--recursive", "--no-dereference", "--", `${uid}:${gid}`, folder],
    timeout: TIMEOUT,
    todo: "run it again: what is done already stays done",
  });
  await syncFileSystem(host, folder);
}
