import { expect, test } from "vitest";
import { CommandError } from "../../../../src/system/command.ts";
import { kernelMark, kernelWords, mountErrno } from "../../../../src/system/disks/mount-error.ts";
import { fakeHost } from "../../../support/fake-host.ts";

const request = { source: "/dev/mapper/store-shared--data", mountPoint: "/var/lib/ic/data", options: [] };

function errno(sentence: string, mountPoint: string = request.mountPoint): string {
  const stderr = `mount: ${mountPoint}: ${sentence}\n       dmesg(1) may have more information after failed mount system call.\n`;
  return mountErrno(new CommandError({ program: "mount", args: [] }, { kind: "exited", status: 32 }, stderr), { ...request, mountPoint });
}

// Recorded from mount(8) of util-linux 2.38.1 and 2.41, on Linux 6.18; the errno is the one in the kernel's log.
test.each([
  ["mount(2) system call failed: Structure needs cleaning.", "EUCLEAN"],
  ["fsconfig() failed: Structure needs cleaning.", "EUCLEAN"],
  ["can't read superblock on /dev/mapper/store-shared--data.", "EIO"],
  ["fsconfig() failed: Input/output error.", "EIO"],
  [
    "wrong fs type, bad option, bad superblock on /dev/mapper/store-shared--data, missing codepage or helper program, or other error.",
    "EINVAL",
  ],
  ["cannot mount; probably corrupted filesystem on /dev/mapper/store-shared--data.", "EBADMSG"],
  ["cannot mount; probably corrupted filesystem on /dev/another.", "other"],
  ["/dev/mapper/store-shared--data already mounted or mount point busy.", "other"],
  ["fsconfig() failed: Cannot allocate memory.", "other"],
  ["fsconfig() failed: /dev/mapper/store-shared--data: Can't open blockdev.", "other"],
  ["fsconfig() failed: xfs: Structure needs cleaning: not really.", "other"],
])("%s is %s", (sentence, expected) => {
  expect(errno(sentence)).toBe(expected);
});

test("a name in it, a line of another mount, and no words at all say nothing", () => {
  expect(errno("mount point does not exist.", "/mnt/failed: Structure needs cleaning")).toBe("other");
  const other = "mount: /mnt: mount(2) system call failed: Structure needs cleaning.\n";
  for (const stderr of [other, "", "Structure needs cleaning"]) {
    expect(mountErrno(new CommandError({ program: "mount", args: [] }, { kind: "exited", status: 32 }, stderr), request)).toBe("other");
  }
});

test("of the kernel's log those lines count that are about that device, by the name that the kernel has for it, and came since", async () => {
  const mark = "[    4.100000] XFS (dm-5): Unmounting Filesystem";
  const log = `[    4.000000] XFS (dm-5): long ago\n${mark}\n[    5.200000] XFS (dm-4): of another
[    5.300000] XFS (dm-5): Mounting V5 Filesystem\n[    5.400000] XFS (dm-5): Filesystem has duplicate UUID\n[    5.5] usb 1-1: (dm-5): mentioned\n`;
  const host = fakeHost({ links: { [request.source]: "../dm-5" }, commands: { dmesg: log } });
  expect(await kernelWords(host, request.source, mark)).toBe(
    "XFS (dm-5): Mounting V5 Filesystem / XFS (dm-5): Filesystem has duplicate UUID",
  );
  expect(await kernelWords(host, request.source, "")).toMatch(/^XFS \(dm-5\): long ago .* duplicate UUID$/);
  expect(await kernelWords(host, request.source, "[    0.1] gone")).toMatch(/^XFS \(dm-5\): long ago /);
  expect(await kernelMark(host)).toBe("[    5.5] usb 1-1: (dm-5): mentioned");
});

test("a kernel's log that is empty, or may not be read, says nothing", async () => {
  for (const answer of ["", { status: 1, stderr: "dmesg: read kernel buffer failed: Operation not permitted" }]) {
    const host = fakeHost({ commands: { dmesg: answer } });
    expect([await kernelMark(host), await kernelWords(host, "/dev/vda10", "")]).toEqual(["", ""]);
  }
});
