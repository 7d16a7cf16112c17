import { expect, test } from "vitest";
import { foreignContent } from "../../../../src/system/disks/signature.ts";

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
