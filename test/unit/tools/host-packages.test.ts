import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** tools/host-packages.txt: by section, the packages in it. */
const sections = new Map(
  readFileSync("tools/host-packages.txt", "utf8")
    .split(/^\[/m)
    .slice(1)
    .map((text) => {
      const [name = "", ...lines] = text.split("\n");
      return [name.replace("]", ""), lines.filter((line) => line !== "" && !line.startsWith("#"))] as const;
    }),
);
/** What is set up without a name: a kernel is built only where a user-mode machine is asked for. */
const ALL = [...sections.keys()].filter((name) => name !== "user-mode");

/** On every Debian: packages that are essential or required there (debootstrap's minbase). Git is what a clone came by. */
const EVERYWHERE =
  "bash blockdev cat chroot cp dd df dpkg dpkg-deb env fallocate find flock git blkid ldd losetup lsblk mkdir mkfifo mount mv nsenter partx rm script setpriv sh sync tar umount unshare wipefs";
/** What else is started by name, by the package that it is in (`dpkg --search`). */
const PACKAGES: Readonly<Record<string, string>> = {
  binutils: "strip",
  bubblewrap: "bwrap",
  "cryptsetup-bin": "veritysetup",
  "dbus-daemon": "dbus-daemon",
  dosfstools: "fsck.vfat mkfs.vfat",
  e2fsprogs: "debugfs dumpe2fs e2fsck mke2fs mkfs.ext4 tune2fs",
  fdisk: "sfdisk",
  fish: "fish",
  "grub-common": "grub-editenv grub-fstest grub-mkimage",
  "libvirt-clients": "virsh",
  lintian: "lintian",
  lvm2: "pvcreate vgcreate vgremove",
  "man-db": "man",
  mandoc: "mandoc",
  mmdebstrap: "mmdebstrap",
  mtools: "mcopy mdel mmd mren mtype",
  nftables: "nft",
  "openssh-client": "ssh ssh-keygen",
  openssl: "openssl",
  procps: "ps",
  "qemu-system-x86": "qemu-system-x86_64",
  "qemu-utils": "qemu-img qemu-io",
  strace: "strace",
  systemd: "systemd-socket-activate",
  sudo: "sudo visudo",
  "xz-utils": "xz",
  xfsprogs: "mkfs.xfs xfs_db xfs_io xfs_repair",
  zstd: "zstd",
};
const packageOf = new Map(Object.entries(PACKAGES).flatMap(([name, programs]) => programs.split(" ").map((program) => [program, name])));

/** The sections that a target of the Makefile has set up, by what make would run. */
function sectionsOf(target: string): readonly string[] {
  const { stdout } = spawnSync("make", ["--dry-run", "--always-make", target], { encoding: "utf8", env: { PATH: process.env["PATH"] } });
  const runs = [...stdout.matchAll(/^tools\/setup\.sh(.*?)(?: \|\|.*)?$/gm)].map(([, names = ""]) => names.trim());
  return [...new Set(["node", ...runs.flatMap((names) => (names === "" ? ALL : names.split(" ")))])];
}

const packagesFor = (names: readonly string[]): readonly string[] => names.flatMap((name) => sections.get(name) ?? []);

/** What only tests need, as the plots' browser, shells for completions, checks of packages and manuals. */
const TESTS_ALONE = ["chromium", "zsh", "fish", "lintian", "mandoc", "man-db", "libwrap0", "strace", "sudo", "xfsprogs"];

test.each([
  ["build", ["node", "build"]],
  ["deb", ["node", "build"]],
  ["image", ["node", "build", "image"]],
  ["boot", ["node", "build", "image", "boot"]],
  ["format", ["node"]],
  ["stop", ["node"]],
])("make %s sets up what it needs, and nothing that only tests need", (target, wanted) => {
  expect(sectionsOf(target)).toEqual(wanted);
  expect(packagesFor(wanted).filter((name) => TESTS_ALONE.includes(name))).toEqual([]);
});

test.each([
  ...["setup", "check", "test", "test-vm"].map((target) => [target, ALL] as const),
  // The host of test/power/hostos-node.test.ts is a user-mode machine.
  ["test-power", [...ALL, "user-mode"]] as const,
])("make %s sets up all that there is", (target, wanted) => {
  expect(sectionsOf(target).toSorted()).toEqual([...wanted].toSorted());
  expect(packagesFor(ALL)).toEqual(expect.arrayContaining(TESTS_ALONE));
});

/** Where code is, and for which target it is run. */
const CODE: readonly (readonly [string, string])[] = [
  ["tools/**/*.ts", "build"],
  // emulator.ts does without a QEMU.
  ["image/**/!(emulator).ts", "image"],
  ["image/update/*.ts", "update-image"],
  ["lab/**/*.ts", "boot"],
  ["bench/**/*.ts", "bench"],
  ["test/{vm,system,support,crash,power}/**/*.ts", "test"],
];

test.each(CODE)("what %s starts is there once make %s has set up", (files, target) => {
  const installed = packagesFor(sectionsOf(target));
  const started = new Set(
    globSync(files).flatMap((file) =>
      [...readFileSync(file, "utf8").matchAll(/(?<![.\w])(?:run|tool|spawn|spawnSync|execFileSync|timed)\(\s*"([a-z][\w.-]*)"/g)].map(
        ([, program = ""]) => program,
      ),
    ),
  );
  const others = [...started].filter((program) => !EVERYWHERE.split(" ").includes(program) && program !== "guestos-boot");
  expect(others.length).toBeGreaterThan(0);
  // A program that is in neither table belongs into one.
  expect(others.filter((program) => !installed.includes(packageOf.get(program) ?? ""))).toEqual([]);
});

test("setup.sh refuses a section that there is not, before it installs anything", () => {
  const { status, stderr } = spawnSync("bash", ["tools/setup.sh", "frobnicate"], { encoding: "utf8" });
  expect([status, stderr]).toEqual([1, "setup: there is no section [frobnicate] in tools/host-packages.txt\n"]);
});
