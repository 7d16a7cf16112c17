import { truncate, writeFile } from "node:fs/promises";
import { diskMiB, type Partition, sfdiskScript } from "./layout.ts";
import { run } from "./tools.ts";

/** One raw, sparse disk image: the partition table, and the given file systems in their places. */
export async function assembleDisk(path: string, partitions: readonly Partition[], contents: ReadonlyMap<string, string>): Promise<void> {
  await writeFile(path, "");
  await truncate(path, diskMiB(partitions) * 1024 * 1024);
  // --no-reread, --no-tell-kernel: it is a file, nobody has it open as a disk.
  await run("sfdisk", ["--quiet", "--no-reread", "--no-tell-kernel", path], { input: sfdiskScript(partitions) });
  for (const partition of partitions) {
    const source = contents.get(partition.name);
    if (source === undefined) continue;
    await run("dd", [`if=${source}`, `of=${path}`, "bs=1M", `seek=${partition.startMiB}`, "conv=sparse,notrunc", "status=none"]);
  }
}
