import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { DEFAULT_PROFILE, type ProfileName } from "../../src/profiles/profiles.ts";
import { changelog, controlFile, packageName, postinst, postrm, triggers } from "./control.ts";
import { root, sourceDate } from "./source-date.ts";

/**
 * What `make install` puts into an image, and a package must not:
 *
 * - a machine's name is the machine's;
 * - a preset that disables everything it does not name would switch off, at the first boot of an image, what that image needs;
 * - an initramfs that loads our drivers alone, and takes udev's place, would leave another image without its disk.
 *
 * Who builds an image of nothing but a GuestOS finds the last two in /usr/share/guestos-boot, and copies them (docs/image.md).
 */
const NOT_PACKED = ["etc/hostname"];
const MOVED: readonly (readonly [string, string])[] = [
  ["etc/systemd/system-preset", "usr/share/guestos-boot/system-preset"],
  ...["conf.d", "hooks/guestos", "scripts/init-top", "scripts/init-bottom", "scripts/local-block", "scripts/local-premount"].map(
    (name) => [`usr/share/initramfs-tools/${name}`, `usr/share/guestos-boot/initramfs-tools/${name}`] as const,
  ),
];

export interface Packing {
  /** A GuestOS's when absent. */
  readonly profile?: ProfileName;
  /** Where the archive goes, and where it is made. */
  readonly folder: string;
  /** What the build made. */
  readonly dist?: string;
  /** Seconds since 1970. */
  readonly date?: number;
}

export interface Packed {
  readonly file: string;
  readonly version: string;
}

/**
 * Makes a Debian package of dist/ and etc/. The same inputs give the same bytes, whenever and by whomever it is made.
 */
export function buildDeb({ profile = DEFAULT_PROFILE, folder, dist = join(root, "dist"), date = sourceDate() }: Packing): Packed {
  const version = builtVersion(dist);
  const name = packageName(profile);
  const tree = join(folder, "deb.tree");
  rmSync(tree, { recursive: true, force: true });
  install(profile, dist, tree);
  for (const path of NOT_PACKED) rmSync(join(tree, path));
  for (const [from, to] of [...MOVED, ["usr/share/doc/guestos-boot", `usr/share/doc/${name}`] as const]) {
    makeFolder(tree, dirname(join(tree, to)));
    renameSync(join(tree, from), join(tree, to));
  }
  const log = changelog(name, readFileSync(join(root, "CHANGELOG.md"), "utf8"), version, date);
  write(tree, `usr/share/doc/${name}/changelog.gz`, gzipSync(log, { level: 9 }));
  const overrides = readFileSync(join(import.meta.dirname, "lintian-overrides"), "utf8");
  write(tree, `usr/share/lintian/overrides/${name}`, overrides.replaceAll(/^guestos-boot:/gm, `${name}:`));
  const files = filesBelow(tree, "");
  const installedSize = Math.ceil(files.reduce((sum, name) => sum + statSync(join(tree, name)).size, 0) / 1024);
  write(tree, "DEBIAN/control", controlFile({ profile, version, installedSize }));
  write(tree, "DEBIAN/conffiles", lines(files.filter((name) => name.startsWith("etc/")).map((name) => `/${name}`)));
  write(tree, "DEBIAN/md5sums", lines(files.filter((name) => !name.startsWith("etc/")).map((name) => `${md5(join(tree, name))}  ${name}`)));
  write(tree, "DEBIAN/triggers", triggers);
  for (const [script, text] of [
    ["postinst", postinst],
    ["postrm", postrm],
  ] as const) {
    write(tree, `DEBIAN/${script}`, text);
    chmodSync(join(tree, "DEBIAN", script), 0o755);
  }
  const file = join(folder, `${name}_${version}_amd64.deb`);
  // gzip, and not too much of it: Debian and Ubuntu both know it, and who builds an image waits for it.
  execFileSync("dpkg-deb", ["--root-owner-group", "-Zgzip", "-z6", "--build", tree, `${file}.new`], {
    env: { PATH: process.env["PATH"], SOURCE_DATE_EPOCH: String(date) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  renameSync(`${file}.new`, file);
  rmSync(tree, { recursive: true });
  return { file, version };
}

/** What `make install` lays out, as one archive, to be unpacked over the root of an image. */
export function buildTarball({ profile = DEFAULT_PROFILE, folder, dist = join(root, "dist"), date = sourceDate() }: Packing): Packed {
  const version = builtVersion(dist);
  const tree = join(folder, "tarball.tree");
  rmSync(tree, { recursive: true, force: true });
  install(profile, dist, tree);
  const file = join(folder, `${packageName(profile)}-${version}-linux-amd64.tar.gz`);
  const archive = ["--create", "--sort=name", "--format=gnu", "--owner=0", "--group=0", "--numeric-owner", `--mtime=@${date}`];
  execFileSync("tar", [...archive, "--use-compress-program=gzip --no-name", `--file=${file}.new`, `--directory=${tree}`, "."]);
  renameSync(`${file}.new`, file);
  rmSync(tree, { recursive: true });
  return { file, version };
}

/** As the program says it itself. */
function builtVersion(dist: string): string {
  const program = join(dist, "guestos-boot");
  if (!existsSync(program)) throw new Error(`there is no ${program}; make build makes it`);
  return execFileSync(program, ["--version"], { encoding: "utf8" }).trim().replace("guestos-boot ", "");
}

function install(profile: ProfileName, dist: string, tree: string): void {
  mkdirSync(tree, { recursive: true });
  // Folders must not get their modes from the account that runs this.
  execFileSync("bash", ["-c", 'umask 022; exec "$@"', "bash", join(root, "tools/install.sh"), tree, "/usr", dist], {
    env: { ...process.env, PROFILE: profile },
    stdio: "inherit",
  });
  chmodSync(tree, 0o755);
}

function write(tree: string, path: string, content: string | Uint8Array): void {
  const file = join(tree, path);
  makeFolder(tree, dirname(file));
  writeFileSync(file, content);
  chmodSync(file, 0o644);
}

/** With all above it, up to the tree, and modes that no umask changes. */
function makeFolder(tree: string, path: string): void {
  mkdirSync(path, { recursive: true });
  for (let folder = path; folder !== tree; folder = dirname(folder)) chmodSync(folder, 0o755);
}

/** Regular files by name, links left out: both lists are of contents. */
function filesBelow(tree: string, name: string): readonly string[] {
  return readdirSync(join(tree, name), { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = name === "" ? entry.name : `${name}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(tree, path) : entry.isFile() ? [path] : [];
    });
}

function md5(file: string): string {
  return createHash("md5").update(readFileSync(file)).digest("hex");
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}
