import { expect, test } from "vitest";
import { CommandError } from "../../../../src/system/command.ts";
import { kernelWords, mountErrno } from "../../../../src/system/disks/mount-error.ts";
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
  ["cannot mount; probably corrupted filesystem on /dev/mapper/store-shared--data.", "other"],
  ["/dev/mapper/store-shared--data already mounted or mount point busy.", "other"],
  ["fsconfig() failed: Cannot allocate memory.", "other"],
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

test("of the kernel's log the last lines about that device count, by the name that the kernel has for it", async () => {
  const log =
    "XFS (dm-4): of another\nXFS (dm-5): Mounting V5 Filesystem\nXFS (dm-5): Filesystem has duplicate UUID\nusb 1-1: (dm-5) mentioned\n";
  const host = fakeHost({ links: { [request.source]: "../dm-5" }, commands: { "dmesg --notime": log } });
  expect(await kernelWords(host, request.source)).toBe("XFS (dm-5): Mounting V5 Filesystem / XFS (dm-5): Filesystem has duplicate UUID");
  const silent = fakeHost({ commands: { "dmesg --notime": { status: 1, stderr: "Operation not permitted" } } });
  expect(await kernelWords(silent, "/dev/vda10")).toBe("");
});
