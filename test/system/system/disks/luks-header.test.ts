import { randomUUID } from "node:crypto";
import { closeSync, openSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { luksFormat } from "../../../../src/system/disks/cryptsetup.ts";
import { systemHost } from "../../../../src/system/host.ts";
import { readLuksHeader } from "../../../../src/system/disks/luks-header.ts";
import { Secret } from "../../../../src/base/secret.ts";
import { namespaceRoot } from "../../../support/namespace.ts";

const host = systemHost({ signal: new AbortController().signal });
const SECOND = 16 * 1024;

/** A LUKS2 device as the chain makes it. */
async function luksDevice(): Promise<{ readonly path: string; readonly uuid: string }> {
  const path = join(namespaceRoot(), "luks");
  writeFileSync(path, "");
  truncateSync(path, 64 * 1024 ** 2);
  const uuid = randomUUID();
  await luksFormat(host, path, uuid, new Secret(Buffer.alloc(32, 5)));
  return { path, uuid };
}

function damage(path: string, offset: number): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.from("!"), 0, 1, offset);
  closeSync(file);
}

test("both copies of what cryptsetup made are whole, and of one device", async () => {
  const { path, uuid } = await luksDevice();
  const { first, second } = await readLuksHeader(host, path);
  expect(first?.uuid).toBe(uuid);
  expect(second).toEqual(first);
});

test.each([
  ["the first copy's magic", 0, "second"],
  ["a byte of the first copy's JSON", 5000, "second"],
  ["the second copy's magic", SECOND, "first"],
  ["a byte of the second copy's JSON", SECOND + 5000, "first"],
] as const)("damage to %s is seen, and cryptsetup repair repairs it", async (_, offset, whole) => {
  const { path, uuid } = await luksDevice();
  damage(path, offset);
  const { first, second } = await readLuksHeader(host, path);
  expect({ first: first?.uuid, second: second?.uuid }).toEqual({ first: undefined, second: undefined, [whole]: uuid });
  await host.run({ program: "cryptsetup", args: ["repair", "--batch-mode", path] });
  const repaired = await readLuksHeader(host, path);
  expect([repaired.first?.uuid, repaired.second?.uuid]).toEqual([uuid, uuid]);
});

test("what is no LUKS device, or shorter than a header, has no copy", async () => {
  const path = join(namespaceRoot(), "other");
  writeFileSync(path, Buffer.alloc(64 * 1024));
  expect(await readLuksHeader(host, path)).toEqual({ first: undefined, second: undefined });
  writeFileSync(path, "LUKS\xba\xbe");
  expect(await readLuksHeader(host, path)).toEqual({ first: undefined, second: undefined });
});
