import type { Host } from "../host.ts";
import { ProblemError } from "../../base/problem.ts";

/** Bytes of the mounted xfs, including its log. That is its current size, not that of the volume below (xfs_growfs(8), -n). */
export async function xfsBytes(host: Host, mountPoint: string): Promise<number> {
  const { stdout } = await host.run({ program: "xfs_growfs", args: ["-n", mountPoint] });
  return parseGeometry(stdout);
}

/** Parses the line "data     =   bsize=4096   blocks=81920, imaxpct=25". */
export function parseGeometry(text: string): number {
  const data = /^data\s+=\s+bsize=(\d+)\s+blocks=(\d+)/m.exec(text);
  if (data !== null) return Number(data[1]) * Number(data[2]);
  throw new ProblemError({
    code: "xfs-size-unknown",
    what: "xfs_growfs did not say how large the file system is",
    found: JSON.stringify(text.slice(0, 200)),
    expected: 'a line "data = bsize=… blocks=…"',
  });
}

/** Grows the mounted xfs to the whole of its volume, while it is in use. */
export async function growXfs(host: Host, mountPoint: string): Promise<void> {
  await host.run({ program: "xfs_growfs", args: ["-d", mountPoint] });
}
