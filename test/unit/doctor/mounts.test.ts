import { expect, test } from "vitest";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { guestos } from "../../support/chains.ts";
import { judgeMounts, promisedMounts } from "../../../src/doctor/mounts.ts";
import { parseMountinfo } from "../../../src/system/disks/mounts.ts";

/** Recorded on a booted node, with the numbers of mounts left out of it. */
const SOUND = `1 0 254:5 / / ro,relatime shared:1 - ext4 /dev/root ro
2 1 254:4 / /boot ro,nosuid,nodev,noexec,relatime shared:2 - ext4 /dev/vda4 ro
3 2 254:1 / /boot/efi ro,nosuid,nodev,noexec,relatime shared:3 - vfat /dev/vda1 ro,fmask=0077,dmask=0077,codepage=437,errors=remount-ro
4 2 254:2 / /boot/grub rw,nosuid,nodev,noexec,relatime shared:4 - vfat /dev/vda2 rw,gid=4,fmask=0027,dmask=0027,codepage=437,errors=remount-ro
5 2 254:3 / /boot/config rw,nosuid,nodev,noexec,relatime shared:5 - ext4 /dev/vda3 rw,sync
6 1 253:1 / /var rw,nosuid,nodev,relatime shared:6 - ext4 /dev/mapper/var_crypt rw
7 6 253:2 / /var/lib/ic/data rw,nosuid,nodev,noexec,relatime shared:7 - xfs /dev/mapper/store-shared--data rw,attr2,inode64
8 6 253:3 / /var/lib/ic/crypto rw,nosuid,nodev,noexec,relatime shared:8 - ext4 /dev/mapper/store-shared--crypto rw
9 6 253:4 / /var/lib/ic/backup rw,nosuid,nodev,noexec,relatime shared:9 - ext4 /dev/mapper/store-shared--backup rw
10 1 0:26 /ic-node/etc/ssh /etc/ssh ro,nosuid,nodev,noexec,relatime shared:10 - tmpfs tmpfs rw,size=402876k
11 1 0:26 /ic-node/etc/node_exporter /etc/node_exporter ro,nosuid,nodev,noexec,relatime shared:11 - tmpfs tmpfs rw,size=402876k
`;

const judge = (mountinfo: string) => judgeMounts(parseMountinfo(mountinfo), promisedMounts({ layout: guestosLayout, chain: guestos }));

test("a node as it was booted has nothing to say, with and without a host name of its own", () => {
  expect(judge(SOUND)).toEqual([]);
  expect(judge(`${SOUND}12 1 0:26 /ic-node/etc/hostname /etc/hostname ro,nosuid,nodev,noexec shared:12 - tmpfs tmpfs rw\n`)).toEqual([]);
});

test("a right that someone gave is named, with what takes it away", () => {
  const given = SOUND.replace("/var/lib/ic/data rw,nosuid,nodev,noexec", "/var/lib/ic/data rw,nosuid,nodev");
  expect(judge(given)).toEqual([
    {
      level: "wrong",
      seen: "findmnt --output OPTIONS /var/lib/ic/data",
      problem: {
        code: "mount-options-wrong",
        what: "/var/lib/ic/data is not mounted as it should be",
        found: "rw,nosuid,nodev,relatime,attr2,inode64",
        expected: "nodev,nosuid,noexec",
        todo: "mount -o remount,nodev,nosuid,noexec /var/lib/ic/data",
      },
    },
  ]);
});

test.each([
  ["a root that can be written", "254:5 / / ro,relatime shared:1 - ext4 /dev/root ro", "254:5 / / rw,relatime - ext4 /dev/root rw", "/"],
  ["FAT that everyone may read", "/dev/vda2 rw,gid=4,fmask=0027,dmask=0027", "/dev/vda2 rw,gid=4,fmask=0022,dmask=0022", "/boot/grub"],
  ["FAT of another group", "/dev/vda2 rw,gid=4,fmask", "/dev/vda2 rw,fmask", "/boot/grub"],
  ["a config partition that is written late", "/dev/vda3 rw,sync", "/dev/vda3 rw", "/boot/config"],
])("%s is seen", (_, from, to, mountPoint) => {
  expect(SOUND).toContain(from);
  expect(judge(SOUND.replace(from, to)).map(({ problem }) => problem.what)).toEqual([`${mountPoint} is not mounted as it should be`]);
});

test("what is bound is repaired for its own mount alone, and not for all of /run", () => {
  const [finding] = judge(SOUND.replace("/etc/ssh ro,nosuid", "/etc/ssh rw,nosuid"));
  expect(finding?.problem.todo).toBe("mount -o remount,bind,ro,nodev,nosuid,noexec /etc/ssh");
});

test("a file system that the kernel made read-only is not taken for one that is mounted wrongly", () => {
  const [finding, ...others] = judge(SOUND.replace("/dev/mapper/var_crypt rw", "/dev/mapper/var_crypt ro"));
  expect(finding?.problem).toMatchObject({ what: "/var cannot be written", expected: "rw" });
  expect(others).toEqual([]);
});

test("of two mounts on one point the one on top counts, and what is not mounted is named in one finding", () => {
  const covered = `${SOUND}13 6 0:50 / /var/lib/ic/data rw - tmpfs tmpfs rw\n`;
  expect(judge(covered).map(({ problem }) => problem.what)).toEqual(["/var/lib/ic/data is not mounted as it should be"]);
  const [first, ...others] = judge(SOUND.split("\n").slice(0, 6).join("\n"));
  expect(first?.problem.found).toBe("nothing at /var/lib/ic/data, /var/lib/ic/crypto, /var/lib/ic/backup, /etc/ssh, /etc/node_exporter");
  expect(others).toEqual([]);
});
