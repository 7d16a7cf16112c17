import { expect, test } from "vitest";
import { bootedSlot, requireBootedSlot } from "../../../src/upgrade/booted-slot.ts";
import { fakeHost } from "../../support/fake-host.ts";

const booted = (line: string) => bootedSlot(fakeHost({ files: { "/proc/cmdline": line } }));

test("the slot is the one that the boot loader named", async () => {
  expect(await booted("BOOT_IMAGE=/vmlinuz root=PARTUUID=1 ro dfinity.system=A quiet\n")).toBe("A");
  expect(await booted("dfinity.system=B")).toBe("B");
});

test("as in the kernel the last argument counts", async () => {
  expect(await booted("dfinity.system=A dfinity.system=B")).toBe("B");
});

test("a machine without the argument has no slot, and what needs one says so", async () => {
  expect(await booted("quiet")).toBeUndefined();
  await expect(requireBootedSlot(fakeHost({ files: { "/proc/cmdline": "quiet" } }))).rejects.toThrow(/no argument dfinity.system/);
});

test("a value that is neither A nor B is an error", async () => {
  for (const value of ["C", "", "a", "AB"]) await expect(booted(`dfinity.system=${value}`)).rejects.toThrow(/expected A or B/);
});
