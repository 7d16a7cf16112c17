import { expect, test } from "vitest";
import {
  bindMount,
  mount,
  mountAll,
  mountAt,
  mounts,
  parseMountinfo,
  unescapeOctal,
  unmount,
} from "../../../../src/system/disks/mounts.ts";
import { fakeHost } from "../../../support/fake-host.ts";

/** Recorded from Debian 13 (kernel 6.12), shortened; the blank and the backslash are ours. */
const recorded = `22 1 253:0 / / ro,relatime shared:1 - ext4 /dev/vda5 ro,errors=remount-ro
24 22 0:22 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
29 22 0:26 / /run rw,nosuid,nodev shared:13 - tmpfs tmpfs rw,size=402876k,mode=755
61 22 253:3 / /boot/config rw,nosuid,nodev,noexec,relatime,sync shared:31 master:4 propagate_from:2 - ext4 /dev/vda3 rw
70 22 0:26 /ic-node/etc/ssh /etc/ssh ro,relatime shared:13 - tmpfs tmpfs rw,size=402876k,mode=755
80 22 254:1 / /var rw,relatime - ext4 /dev/mapper/var_crypt rw
81 80 254:3 / /var rw,nosuid - xfs /dev/mapper/store-shared--data rw,attr2
90 80 7:0 / /mnt/a\\040b\\134c\\011d rw - vfat /dev/with\\040blank rw
91 80 0:40 / /mnt/nothing rw - tmpfs  rw
`;

test("a recorded mountinfo is read: optional fields of any number, options, devices", () => {
  expect(parseMountinfo(recorded)).toHaveLength(9);
  expect(parseMountinfo(recorded)[3]).toEqual({
    mountPoint: "/boot/config",
    root: "/",
    device: "253:3",
    fileSystem: "ext4",
    source: "/dev/vda3",
    options: ["rw", "nosuid", "nodev", "noexec", "relatime", "sync"],
    superOptions: ["rw"],
  });
});

test("a bind mount shows what of its file system it is", () => {
  expect(parseMountinfo(recorded)[4]).toMatchObject({ mountPoint: "/etc/ssh", root: "/ic-node/etc/ssh", device: "0:26" });
});

test("blanks, tabs and backslashes in names are as they are on disk, and an empty source is empty", () => {
  expect(parseMountinfo(recorded)[7]).toMatchObject({ mountPoint: "/mnt/a b\\c\td", source: "/dev/with blank" });
  expect(parseMountinfo(recorded)[8]).toMatchObject({ fileSystem: "tmpfs", source: "" });
  expect(unescapeOctal("\\134040")).toBe("\\040");
  expect(unescapeOctal("plain\\9")).toBe("plain\\9");
});

test("of two mounts on one point the later one is on top, and only that very path is asked for", async () => {
  const host = fakeHost({ files: { "/proc/self/mountinfo": recorded } });
  expect((await mountAt(host, "/var"))?.source).toBe("/dev/mapper/store-shared--data");
  expect(await mountAt(host, "/var/")).toBeUndefined();
  expect(await mountAt(host, "/etc")).toBeUndefined();
});

test("when the kernel does not say what is mounted, that is an error and not 'nothing'", async () => {
  await expect(mounts(fakeHost())).rejects.toThrow("cannot tell what is mounted");
  expect(await mounts(fakeHost({ files: { "/proc/self/mountinfo": "" } }))).toEqual([]);
});

test("names that begin with a hyphen are no options of mount or umount", async () => {
  const host = fakeHost({
    commands: { "mount -t ext4 -o ro,nodev -- -a /mnt": "", "mount -o bind,ro -- /from /to": "", "umount -- -a": "" },
  });
  await mount(host, { source: "-a", mountPoint: "/mnt", fileSystem: "ext4", options: ["ro", "nodev"] });
  await bindMount(host, "/from", "/to", ["ro"]);
  await unmount(host, "-a");
  expect(host.effects).toHaveLength(3);
});

const TABLE = "/run/guestos-boot/unit.fstab";

test("several are mounted by one tool, from a table that is gone afterwards; one needs no table", async () => {
  const host = fakeHost({ commands: { [`mount --all --fstab ${TABLE}`]: "", "mount -t ext4 -o ro -- /dev/vda4 /boot": "" } });
  const boot = { source: "/dev/vda4", mountPoint: "/boot", fileSystem: "ext4", options: ["ro"] };
  await mountAll(host, TABLE, []);
  expect(host.effects).toEqual([]);
  await mountAll(host, TABLE, [boot]);
  expect(host.effects).toEqual(["run mount -t ext4 -o ro -- /dev/vda4 /boot"]);
  host.effects.length = 0;
  await mountAll(host, TABLE, [boot, { source: "/dev/vda1", mountPoint: "/boot/efi", options: ["ro"] }]);
  expect(host.effects).toEqual(["make /run/guestos-boot", `write 600 ${TABLE}`, `run mount --all --fstab ${TABLE}`, `remove ${TABLE}`]);
});

test("the table goes also when a mount fails", async () => {
  const host = fakeHost({ commands: { [`mount --all --fstab ${TABLE}`]: { status: 64, stderr: "mount: /b: wrong fs type" } } });
  const request = { source: "/dev/vda4", mountPoint: "/a", options: ["ro"] };
  await expect(mountAll(host, TABLE, [request, { ...request, mountPoint: "/b" }])).rejects.toThrow("wrong fs type");
  expect(host.files.size).toBe(0);
});
