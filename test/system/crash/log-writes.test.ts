import { spawnSync } from "node:child_process";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { windowsOf, writesOf } from "../../crash/crash-states.ts";
import { type LogEntry, openWriteLog } from "../../crash/log-writes.ts";
import { RawDisk } from "../../crash/raw-disk.ts";
import { namespaceRoot } from "../../support/namespace.ts";

const MIB = 1024 * 1024;

/** Runs qemu-io's commands on a blank disk below QEMU's own log-writing driver. */
function recorded(sectorSize: number, commands: readonly string[]) {
  const root = namespaceRoot();
  const [disk, log] = [join(root, "disk"), join(root, "log")];
  for (const file of [disk, log]) writeFileSync(file, "");
  truncateSync(disk, MIB);
  const image = `driver=blklogwrites,discard=unmap,log-sector-size=${sectorSize},file.driver=file,file.filename=${disk},log.driver=file,log.filename=${log}`;
  const { status, stderr, stdout } = spawnSync("qemu-io", ["--image-opts", image, ...commands.flatMap((command) => ["-c", command])], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
  return { root, disk, log };
}

test.each([512, 4096])("what QEMU logs is read, and replayed gives the disk that QEMU wrote (sectors of %i bytes)", (sectorSize) => {
  const {
    root,
    disk,
    log: file,
  } = recorded(sectorSize, [
    "write -P 1 0 16k",
    "flush",
    "write -P 2 8k 4k",
    "discard 0 4k",
    "write -z 12k 4k",
    "write -P 3 64k 64k",
    "flush",
    "write -f -P 4 4k 4k",
  ]);
  using log = openWriteLog(file);
  expect(log.sectorSize).toBe(sectorSize);
  const text = ({ offset, length, discard }: LogEntry): string => `${discard ? "discard" : "write"} ${offset / 1024}k ${length / 1024}k`;
  expect(log.entries.filter(({ length }) => length > 0).map(text)).toEqual([
    "write 0k 16k",
    "write 8k 4k",
    "discard 0k 4k",
    "write 12k 4k",
    "write 64k 64k",
    "write 4k 4k",
  ]);
  // How often QEMU flushes beyond what it is told depends on its version.
  const windows = windowsOf(log.entries).map(({ pending }) => pending.map(text));
  expect(windows[0]).toEqual(["write 0k 16k"]);
  expect(windows).toContainEqual(["write 4k 4k"]);
  expect(windows.find((pending) => pending.includes("discard 0k 4k"))?.slice(0, 2)).toEqual(["write 8k 4k", "discard 0k 4k"]);

  const replayed = join(root, "replayed");
  writeFileSync(replayed, "");
  truncateSync(replayed, MIB);
  using target = new RawDisk(replayed);
  target.apply(writesOf(log, 0, log.entries.length));
  expect(Buffer.compare(readFileSync(replayed), readFileSync(disk))).toBe(0);
  expect(target.read(5 * 1024, 1)[0]).toBe(4);
});
