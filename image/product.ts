import { existsSync } from "node:fs";
import { cp, mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { listed } from "./debian.ts";
import type { ImageOptions, Variant } from "./options.ts";
import type { ProfileName } from "../src/profiles/profiles.ts";
import { run } from "./tools.ts";
import { ProblemError } from "../src/base/problem.ts";
import { buildDeb } from "../tools/package/deb.ts";

/** Puts the product into the tree, and makes of it the image of one variant. */
export async function installProduct(options: ImageOptions, root: string): Promise<void> {
  await installPackage(options, root);
  await write(root, "opt/ic/share/version.txt", `${options.version}\n`);
  await write(root, "etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
  await write(root, "etc/default/locale", "LANG=C.UTF-8\n");
  await enableUnits(root, options.profile);
  await applyVariant(root, options.variant);
}

/** What apt, dpkg and the package's scripts leave behind: logs, caches and backups of their work, locks. */
const LEFT_BY_APT = [
  "etc/.pwd.lock",
  "etc/passwd-",
  "etc/group-",
  "etc/shadow-",
  "etc/gshadow-",
  "var/cache/apt",
  "var/cache/debconf",
  "var/lib/apt/lists/auxfiles",
  "var/log/apt",
  "var/log/dpkg.log",
  "var/log/alternatives.log",
  "var/lib/systemd/deb-systemd-helper-enabled",
  "var/lib/systemd/deb-systemd-helper-masked",
  "usr/lib/sysimage/dpkg/lock",
  "usr/lib/sysimage/dpkg/lock-frontend",
  "usr/lib/sysimage/dpkg/status-old",
  "usr/lib/sysimage/dpkg/triggers/Lock",
];

/** The Debian package, as every other image takes it (docs/image.md), and what it leaves to the image: its name, and what is enabled. */
async function installPackage(options: ImageOptions, root: string): Promise<void> {
  if (!existsSync(join(options.tree, "dist/guestos-boot"))) {
    throw new ProblemError({
      code: "image-executable-missing",
      what: "there is no dist/guestos-boot to put into the image",
      todo: "make build",
    });
  }
  const { file } = buildDeb({ profile: options.profile, folder: dirname(root), date: options.epoch });
  const inside = "tmp/guestos-boot.deb";
  await rename(file, join(root, inside));
  // The initramfs has our hook already (image/system.ts), and is made for every kernel but that of the build machine.
  const env = { DEBIAN_FRONTEND: "noninteractive", INITRD: "No", SOURCE_DATE_EPOCH: String(options.epoch) };
  // Without a way to the archive: what the package depends on has to be among the image's own packages.
  await run("chroot", [root, "apt-get", "install", "--yes", "--no-install-recommends", `/${inside}`], { env });
  for (const path of [inside, ...LEFT_BY_APT]) await rm(join(root, path), { recursive: true, force: true });
  await cp(join(options.tree, "etc/common/hostname"), join(root, "etc/hostname"));
  await cp(join(root, "usr/share/guestos-boot/system-preset"), join(root, "etc/systemd/system-preset"), { recursive: true });
}

/** Of the units that are masked elsewhere, what that profile needs: the memory of a guest is in huge pages. */
const NEEDED: Partial<Record<ProfileName, readonly string[]>> = { hostos: ["dev-hugepages.mount"] };

/** Only what our preset names is enabled; what no preset can switch off is masked. */
async function enableUnits(root: string, profile: ProfileName): Promise<void> {
  const units = join(root, "etc/systemd/system");
  await mkdir(units, { recursive: true });
  for (const entry of await readdir(units)) await rm(join(units, entry), { recursive: true });
  await run("chroot", [root, "systemctl", "preset-all"]);
  await symlink("/usr/lib/systemd/system/multi-user.target", join(units, "default.target"));
  const lists = [
    ["masked-units.txt", "etc/systemd/system"],
    ["masked-generators.txt", "etc/systemd/system-generators"],
  ] as const;
  for (const [list, folder] of lists) {
    for (const name of await listed(join(import.meta.dirname, list))) {
      if (NEEDED[profile]?.includes(name) !== true) await mask(root, folder, name);
    }
  }
}

/** dev: root's shell on the serial console, without a question, and settings for development count. prod: no way in from any console. */
async function applyVariant(root: string, variant: Variant): Promise<void> {
  if (variant === "prod") {
    for (const unit of ["getty.target", "getty@.service", "serial-getty@.service", "console-getty.service"])
      await mask(root, "etc/systemd/system", unit);
    return;
  }
  // The mark of IC-OS: settings for development count.
  await write(root, "etc/allow_console_root", "");
  const getty = "/sbin/agetty --autologin root --noclear --keep-baud 115200,57600,38400,9600 - $TERM";
  await write(root, "etc/systemd/system/serial-getty@ttyS0.service.d/autologin.conf", `[Service]\nExecStart=\nExecStart=-${getty}\n`);
}

async function mask(root: string, folder: string, name: string): Promise<void> {
  await mkdir(join(root, folder), { recursive: true });
  await rm(join(root, folder, name), { recursive: true, force: true });
  await symlink("/dev/null", join(root, folder, name));
}

async function write(root: string, path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text, { mode: 0o644 });
}
