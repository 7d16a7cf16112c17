import type { Host } from "../host.ts";

/** Puts everything on the disk that was written to the file system on which the path lies: syncfs(2), by sync(1). @throws CommandError */
export async function syncFileSystem(host: Host, path: string): Promise<void> {
  await host.run({ program: "sync", args: ["--file-system", path] });
}
