import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { writeArchive } from "../../../image/setupos/archive.ts";
import { RECORD_OFFSET, writeInstallRecord, readInstallRecord } from "../../../src/setupos/install-record.ts";
import { type Archive, hasBootLoader, proveArchive, writeBootLoader, writeDisk } from "../../../src/setupos/write-disk.ts";
import { zeroBehind } from "../../../src/setupos/zero-behind.ts";
import { systemHost } from "../../../src/system/host.ts";

const MIB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), "write-disk-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string): string => join(folder, name);
const host = systemHost();
const quiet = (): void => undefined;

/** A disk with a table, a boot loader, holes and data, of a size that is no multiple of a chunk. */
const disk = Buffer.alloc(21 * MIB);
randomBytes(17 * 1024).copy(disk, 0);
randomBytes(5 * MIB).copy(disk, MIB);
randomBytes(2 * MIB).copy(disk, 18 * MIB);
writeFileSync(file("disk.img"), disk);
const image = await writeArchive(file("archive"), { path: file("disk.img"), offset: 0, bytes: disk.length });
const archive: Archive = { file: file("archive"), image };

/** A file in the place of a drive, that is full of an older system. */
function drive(name: string): { readonly path: string; readonly bytes: number } {
  writeFileSync(file(name), Buffer.alloc(24 * MIB, 0xa5));
  return { path: file(name), bytes: 24 * MIB };
}

test("a guest's disk is written as it is; what an older one had behind it is zeroed", async () => {
  const target = drive("guest");
  await writeDisk(host, archive, target, { withoutBootLoader: false, onProgress: quiet });
  expect(readFileSync(target.path).subarray(0, disk.length).equals(disk)).toBe(true);
  await zeroBehind(host, target, disk.length);
  expect(
    readFileSync(target.path)
      .subarray(disk.length)
      .every((byte) => byte === 0),
  ).toBe(true);
});

test("a host's disk cannot be started until the boot loader is written, last; the record of the installation stays", async () => {
  const target = drive("host");
  const record = { version: 1, phase: "emptied", input: "a".repeat(32), drives: "b".repeat(32) } as const;
  await writeInstallRecord(host, target.path, record);
  const phases = new Set<string>();
  await writeDisk(host, archive, target, { withoutBootLoader: true, onProgress: ({ phase }) => phases.add(phase) });
  const half = readFileSync(target.path);
  expect(half.subarray(0, RECORD_OFFSET).equals(disk.subarray(0, RECORD_OFFSET))).toBe(true);
  // The first 3 MiB of the partition: its boot sector, its tables and its root folder.
  expect(half.subarray(MIB, 4 * MIB).every((byte) => byte === 0)).toBe(true);
  expect(half.subarray(4 * MIB, disk.length).equals(disk.subarray(4 * MIB))).toBe(true);
  expect(await readInstallRecord(host, target.path)).toEqual(record);
  expect([...phases]).toEqual(["write", "read-back"]);
  expect(await hasBootLoader(host, archive, target)).toBe(false);
  await writeBootLoader(host, archive, target);
  expect(await hasBootLoader(host, archive, target)).toBe(true);
  expect(readFileSync(target.path).subarray(MIB, disk.length).equals(disk.subarray(MIB))).toBe(true);
  expect(await readInstallRecord(host, target.path)).toEqual(record);
});

test("written again, over what is there already, it is the same", async () => {
  const target = drive("again");
  for (let time = 0; time < 2; time += 1) await writeDisk(host, archive, target, { withoutBootLoader: false, onProgress: quiet });
  expect(readFileSync(target.path).subarray(0, disk.length).equals(disk)).toBe(true);
});

test.each([
  ["a flipped bit", (bytes: Buffer) => bytes.writeUInt8((bytes[2 * MIB] ?? 0) ^ 1, 2 * MIB)],
  ["a cut end", (_: Buffer, path: string) => truncateSync(path, 3 * MIB)],
])("a damaged archive is found before anything is written: %s", async (name, damage) => {
  const path = file(`damaged ${name}`);
  const bytes = readFileSync(archive.file);
  writeFileSync(path, bytes);
  damage(bytes, path);
  if (name === "a flipped bit") writeFileSync(path, bytes);
  await proveArchive(host, archive, quiet);
  await expect(proveArchive(host, { ...archive, file: path }, quiet)).rejects.toThrow(/is damaged, so nothing is installed from it/);
  // And where it becomes so later.
  await expect(
    writeDisk(host, { ...archive, file: path }, drive(`of ${name}`), { withoutBootLoader: true, onProgress: quiet }),
  ).rejects.toThrow();
});

test("a boot loader that is not the expected one is not written", async () => {
  const target = drive("other loader");
  const other = { ...archive, image: { ...image, head: "0".repeat(64) } };
  await expect(writeBootLoader(host, other, target)).rejects.toThrow(/does not begin as it shall/);
  expect(readFileSync(target.path).every((byte) => byte === 0xa5)).toBe(true);
});

test("a disk that is larger than its device is refused before the first byte", async () => {
  writeFileSync(file("small"), Buffer.alloc(8 * MIB, 0xa5));
  const target = { path: file("small"), bytes: 8 * MIB };
  await expect(writeDisk(host, archive, target, { withoutBootLoader: false, onProgress: quiet })).rejects.toThrow(/is larger than/);
  expect(readFileSync(target.path).every((byte) => byte === 0xa5)).toBe(true);
});
