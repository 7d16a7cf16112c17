import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { luksFormat } from "../../../../src/system/disks/cryptsetup.ts";
import { systemHost } from "../../../../src/system/host.ts";
import { makeFileSystem } from "../../../../src/system/disks/mkfs.ts";
import { Secret } from "../../../../src/base/secret.ts";
import { contentOf, INSPECTED_BYTES, readSignature } from "../../../../src/system/disks/signature.ts";

const folder = mkdtempSync(join(tmpdir(), "signature-"));
afterAll(() => rmSync(folder, { recursive: true }));
const host = systemHost({ signal: new AbortController().signal });

function image(name: string, mebibytes = 400): string {
  const path = join(folder, name);
  writeFileSync(path, "");
  truncateSync(path, mebibytes * 1024 * 1024);
  return path;
}

for (const fileSystem of ["ext4", "xfs", "swap"] as const) {
  test(`${fileSystem} as the real tool makes it is recognised with its UUID, as blkid sees it`, async () => {
    const path = image(fileSystem);
    const uuid = randomUUID();
    await makeFileSystem(host, path, { fileSystem, uuid, label: "test" });
    expect(await readSignature(host, path)).toEqual({ type: fileSystem, uuid });
    const seen = execFileSync("blkid", ["--probe", "--output", "export", path], { encoding: "utf8" });
    expect(seen).toContain(`UUID=${uuid}`);
    expect(seen).toContain(`TYPE=${fileSystem}`);
  });
}

test("a LUKS2 header as cryptsetup makes it is recognised with its UUID", async () => {
  const path = image("luks", 64);
  const uuid = randomUUID();
  await luksFormat(host, path, uuid, new Secret(Buffer.alloc(32, 5)));
  expect(await readSignature(host, path)).toEqual({ type: "crypto_LUKS", uuid });
});

test("a foreign file system is found, by blkid", async () => {
  const path = image("vfat", 64);
  execFileSync("mkfs.vfat", ["-i", "1234abcd", path]);
  expect(await readSignature(host, path)).toBeUndefined();
  expect(await contentOf(host, path, { mustBeZero: true })).toEqual({ kind: "found", type: "vfat", uuid: "1234-ABCD" });
});

test("zeros are blank", async () => {
  expect(await contentOf(host, image("zeros", 32), { mustBeZero: true })).toEqual({ kind: "blank" });
});

test("data without a signature is unknown where a blank place must be zero, and blank inside an encrypted device", async () => {
  const path = image("noise", 32);
  writeFileSync(
    path,
    Buffer.concat([Buffer.alloc(15 * 1024 * 1024), Buffer.from("left over from before"), Buffer.alloc(17 * 1024 * 1024)]),
  );
  expect(await contentOf(host, path, { mustBeZero: true })).toEqual({ kind: "unknown" });
  expect(await contentOf(host, path, { mustBeZero: false })).toEqual({ kind: "blank" });
});

test("what an encryption that was cut off leaves is told from everything else", async () => {
  const path = image("cut-off", 64);
  await luksFormat(host, path, randomUUID(), new Secret(Buffer.alloc(32, 5)));
  const put = (bytes: Buffer, at: number): void => {
    const file = openSync(path, "r+");
    writeSync(file, bytes, 0, bytes.length, at);
    closeSync(file);
  };
  const kind = async (): Promise<string> => (await contentOf(host, path, { mustBeZero: true })).kind;
  // cryptsetup's own noise and key slot, without the sectors that name its headers; their JSON is there still.
  for (const header of [0, 16_384]) put(Buffer.alloc(512), header);
  expect(await kind()).toBe("cut-off-format");
  put(Buffer.alloc(32_768), 0);
  expect(await kind()).toBe("cut-off-format");
  // Of the noise, any sectors may be missing.
  put(Buffer.alloc(512 * 3), 1024 * 1024 + 512);
  put(Buffer.alloc(2 * 1024 * 1024), 5 * 1024 * 1024);
  expect(await kind()).toBe("cut-off-format");

  for (const [bytes, at] of [
    [Buffer.from("someone's"), 6 * 1024 * 1024],
    [randomBytes(512), 0],
    [randomBytes(512), 8192],
    [Buffer.from("text where a header's own sector would be"), 16_384 + 1024],
  ] as const) {
    put(bytes, at);
    expect(await kind(), `${bytes.length} bytes at ${at}`).toBe("unknown");
    put(Buffer.alloc(bytes.length), at);
  }
  expect(await kind()).toBe("cut-off-format");
});

test("a LUKS device whose primary header was wiped is not blank: the secondary one is seen", async () => {
  const path = image("luks-damaged", 64);
  await luksFormat(host, path, randomUUID(), new Secret(Buffer.alloc(32, 5)));
  execFileSync("dd", ["if=/dev/zero", `of=${path}`, "bs=4096", "count=1", "conv=notrunc", "status=none"]);
  expect((await contentOf(host, path, { mustBeZero: true })).kind).not.toBe("blank");
});

test("an ext4 whose primary superblock was wiped is not taken for blank on a raw partition", async () => {
  const path = image("ext4-damaged", 64);
  await makeFileSystem(host, path, { fileSystem: "ext4", uuid: randomUUID(), label: "test" });
  execFileSync("dd", ["if=/dev/zero", `of=${path}`, "bs=4096", "count=1", "conv=notrunc", "status=none"]);
  expect((await contentOf(host, path, { mustBeZero: true })).kind).not.toBe("blank");
});

test("a device that is not there, and one of size 0, are errors and never blank", async () => {
  await expect(contentOf(host, join(folder, "missing"), { mustBeZero: true })).rejects.toThrow(/no such device/);
  await expect(contentOf(host, image("empty", 0), { mustBeZero: true })).rejects.toThrow(/size 0/);
});

test("who inspects a device reads nothing but the ends that are zeroed in a new one", () => {
  const bytes = 400 * 1024 * 1024;
  const path = image("inspected", bytes / 1024 / 1024);
  const log = join(folder, "trace");
  // blkid(8): 2, nothing was found.
  expect(spawnSync("strace", ["-e", "trace=openat,lseek,pread64", "-o", log, "blkid", "--probe", path]).status).toBe(2);
  const traced = readFileSync(log, "utf8");
  const opened = traced.slice(traced.indexOf(`"${path}"`));
  const places = [...opened.matchAll(/lseek\(\d+, (\d+), SEEK_SET|pread64\(.*, \d+, (\d+)\)/g)].map(([, seek, at]) => Number(seek ?? at));
  expect(places.length).toBeGreaterThan(20);
  const middle = places.filter((at) => at >= INSPECTED_BYTES && at < bytes - INSPECTED_BYTES);
  expect(middle).toEqual([]);
});
