import { existsSync } from "node:fs";
import { cp, mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Stage } from "./debian.ts";
import type { ImageOptions } from "./options.ts";
import { cached, fingerprint, inTemporaryFolder, run } from "./tools.ts";
import { ProblemError } from "../src/base/problem.ts";

/** Hooks and scripts of Debian packages that add to the initramfs what a GuestOS does not need to start. Why no udev: etc/initramfs-tools/hooks/guestos. */
const UNUSED = [
  ...["dmsetup", "fsck", "keymap", "lvm2", "resume", "thermal", "udev", "xfs", "mdadm"].map((name) => `hooks/${name}`),
  ...["init-top/udev", "init-bottom/udev", "local-block/mdadm", "local-bottom/mdadm"].map((name) => `scripts/${name}`),
];

/** Of these, what a HostOS needs: its root is a logical volume. */
const USED_BY_HOSTOS = ["hooks/dmsetup", "hooks/lvm2"];
/** What an installer does not need: it keeps no machine id, and its root has no hash tree. */
const UNUSED_BY_SETUPOS = ["hooks/guestos-machine-id", "scripts/local-bottom/guestos-machine-id", "scripts/local-premount/guestos-verity"];

/** What belongs to one node or to the machine that built it, not to every node: keys, ids, seeds, logs, caches, backups of accounts. */
const NOT_IN_AN_IMAGE = [
  "etc/.pwd.lock",
  "etc/passwd-",
  "etc/group-",
  "etc/shadow-",
  "etc/gshadow-",
  "etc/subuid-",
  "etc/subgid-",
  "etc/fstab",
  // How mmdebstrap told apt what to prefer while it made the tree, with lists of packages that are gone since.
  "etc/apt/apt.conf.d/99mmdebstrap",
  "etc/ssh/ssh_host_ecdsa_key",
  "etc/ssh/ssh_host_ecdsa_key.pub",
  "etc/ssh/ssh_host_ed25519_key",
  "etc/ssh/ssh_host_ed25519_key.pub",
  "etc/ssh/ssh_host_rsa_key",
  "etc/ssh/ssh_host_rsa_key.pub",
  "var/backups",
  "var/cache/apt",
  "var/cache/debconf",
  "var/cache/ldconfig",
  "var/lib/dbus/machine-id",
  "var/lib/systemd/random-seed",
  "var/lib/systemd/credential.secret",
  "var/lib/systemd/catalog",
  "var/lib/systemd/deb-systemd-helper-enabled",
  "var/lib/systemd/deb-systemd-helper-masked",
  "var/lib/systemd/deb-systemd-user-helper-enabled",
  "var/lib/ucf",
  "var/log/alternatives.log",
  "var/log/apt",
  "var/log/bootstrap.log",
  "var/log/dpkg.log",
];

/** Accounts that people log in to, with a key alone. */
const PEOPLE = ["admin", "backup", "readonly", "recovery"];

/**
 * The system stage: the Debian tree with our accounts and our initramfs. What changes rarely and takes long is done
 * here, so that a new version of the product does not pay for it.
 */
export async function systemStage(options: ImageOptions, debian: Stage): Promise<Stage> {
  const etc = (path: string): string => join(options.tree, "etc/common", path);
  const own = join(options.tree, "etc", options.profile, "initramfs-tools");
  const key = await fingerprint([debian.key], [etc("initramfs-tools"), own, etc("sysusers.d"), import.meta.filename]);
  const tar = join(options.out, "cache", `system${options.profile === "guestos" ? "" : `.${options.profile}`}-${key}.tar`);
  await cached(tar, "accounts, initramfs", (temporary) =>
    inTemporaryFolder(options.out, async (folder) => {
      const root = join(folder, "root");
      await unpack(debian.tar, root);
      await cp(etc("initramfs-tools"), join(root, "usr/share/initramfs-tools"), { recursive: true });
      if (existsSync(own)) await cp(own, join(root, "usr/share/initramfs-tools"), { recursive: true });
      await cp(etc("sysusers.d"), join(root, "usr/lib/sysusers.d"), { recursive: true });
      await makeAccounts(options, root);
      await makeInitramfs(options, root);
      for (const path of NOT_IN_AN_IMAGE) await rm(join(root, path), { recursive: true, force: true });
      await moveDpkg(root);
      await makeMountPoints(root);
      await pack(root, temporary);
    }),
  );
  return { tar, key };
}

export async function unpack(tar: string, root: string): Promise<void> {
  await mkdir(root);
  await run("tar", [
    "--extract",
    "--preserve-permissions",
    "--numeric-owner",
    "--xattrs",
    "--xattrs-include=*",
    `--file=${tar}`,
    `--directory=${root}`,
  ]);
}

async function pack(root: string, tar: string): Promise<void> {
  await run("tar", [
    "--create",
    "--sort=name",
    "--numeric-owner",
    "--xattrs",
    "--xattrs-include=*",
    `--file=${tar}`,
    `--directory=${root}`,
    ".",
  ]);
}

/** Accounts come from sysusers.d alone: Debian's own `backup`, without a shell, makes room for ours of the same number. */
async function makeAccounts(options: ImageOptions, root: string): Promise<void> {
  const env = { SOURCE_DATE_EPOCH: String(options.epoch) };
  await run("chroot", [root, "userdel", "backup"], { env });
  await run("chroot", [root, "systemd-sysusers"], { env });
  // "*" is no password's hash. "!" would also lock the account, and some ways of logging in with a key mind that.
  for (const name of ["root", ...PEOPLE]) await run("chroot", [root, "usermod", "--password=*", name], { env });
  for (const name of PEOPLE)
    await run("chroot", [root, "install", "-d", "-m", "0700", `--owner=${name}`, `--group=${name}`, `/var/lib/${name}`]);
  await run("chroot", [root, "install", "-d", "-m", "0750", "--owner=ic-replica", "--group=ic-replica", "/var/lib/ic-replica"]);
}

async function makeInitramfs(options: ImageOptions, root: string): Promise<void> {
  const unused = UNUSED.filter((path) => options.profile !== "hostos" || !USED_BY_HOSTOS.includes(path)).concat(
    options.profile === "setupos" ? UNUSED_BY_SETUPOS : [],
  );
  for (const path of unused) await rm(join(root, "usr/share/initramfs-tools", path), { force: true });
  const [version, ...others] = await readdir(join(root, "usr/lib/modules"));
  if (version === undefined || others.length > 0) {
    throw new ProblemError({
      code: "image-kernel-count",
      what: "the image needs exactly one kernel",
      found: `${others.length + (version === undefined ? 0 : 1)}`,
      todo: "see image/packages.txt",
    });
  }
  await run("chroot", [root, "mkinitramfs", "-o", "/boot/initrd.img", version], { env: { SOURCE_DATE_EPOCH: String(options.epoch) } });
  await rename(join(root, `boot/vmlinuz-${version}`), join(root, "boot/vmlinuz"));
}

/**
 * The list of packages describes the root image, so it belongs there and changes with it. On /var it would also be nine
 * tenths of the files that the first boot has to copy.
 */
async function moveDpkg(root: string): Promise<void> {
  await mkdir(join(root, "usr/lib/sysimage"), { recursive: true });
  await rename(join(root, "var/lib/dpkg"), join(root, "usr/lib/sysimage/dpkg"));
  await symlink("../../usr/lib/sysimage/dpkg", join(root, "var/lib/dpkg"));
}

/** What the boot chain mounts over, and the files that must be there because a read-only root cannot make them. */
async function makeMountPoints(root: string): Promise<void> {
  const folders = [
    "boot",
    "mnt",
    "var/lib/ic/data",
    "var/lib/ic/crypto",
    "var/lib/ic/backup",
    "var/lib/empty",
    "opt/ic/share",
    "etc/node_exporter",
  ];
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true, mode: 0o755 });
  await writeFile(join(root, "etc/fstab"), "");
  // Empty: systemd makes an id, keeps it on /run and binds it over this file; the boot is not "first" for it (machine-id(5)).
  await writeFile(join(root, "etc/machine-id"), "", { mode: 0o444 });
  await symlink("/etc/machine-id", join(root, "var/lib/dbus/machine-id"));
}
