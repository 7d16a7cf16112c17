import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { foreignContent, readSignature } from "../../../../src/system/disks/signature.ts";
import { fakeHost } from "../../../support/fake-host.ts";

test("a blank partition is one of which blkid tells only what the partition table says", () => {
  const output =
    "DEVNAME=/dev/vda10\nPART_ENTRY_SCHEME=gpt\nPART_ENTRY_NAME=store\nPART_ENTRY_UUID=f32baeaf-0fb3-4d83-acd8-3c7e3cc00554\nPART_ENTRY_NUMBER=10\n";
  expect(foreignContent(output)).toBeUndefined();
  expect(foreignContent("")).toBeUndefined();
});

test("a file system and a partition table are found with their types", () => {
  expect(foreignContent("DEVNAME=/dev/x\nUUID=ab-cd\nTYPE=vfat\nUSAGE=filesystem\nPART_ENTRY_NUMBER=1\n")).toEqual({
    kind: "found",
    type: "vfat",
    uuid: "ab-cd",
  });
  expect(foreignContent("DEVNAME=/dev/x\nPTUUID=ab\nPTTYPE=gpt\n")).toEqual({ kind: "found", type: "gpt", uuid: "ab" });
});

test("anything else that blkid names is not blank", () => {
  expect(foreignContent("DEVNAME=/dev/x\nMINIMUM_IO_SIZE=512\n")).toEqual({ kind: "unknown" });
});

// Inside an encrypted device that no one has written to there is noise: one in 65,536 has the two bytes of ext4 (super.rst, s_magic).
test("noise with the magic of a file system is none", async () => {
  for (let tries = 0; tries < 100; tries += 1) {
    const noise = randomBytes(8192);
    noise.writeUInt16LE(0xef53, 1024 + 0x38);
    expect(await readSignature(fakeHost({ files: { "/dev/noise": noise } }), "/dev/noise")).toBeUndefined();
    noise.write("XFSB");
    expect(await readSignature(fakeHost({ files: { "/dev/noise": noise } }), "/dev/noise")).toBeUndefined();
  }
});
