import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Content by path. */
export type Tree = Readonly<Record<string, string>>;

/** The formats in which a tar may come. */
export const TAR_FORMATS = ["gnu", "ustar", "pax"] as const;

/** As today's hosts call tar: sorted, of root, of 1970, members that begin with `./` (guestos_bootstrap_image.rs). */
export function todaysTar(tree: Tree, format: (typeof TAR_FORMATS)[number] = "gnu"): Buffer {
  const options = ["--sort=name", "--owner=root:0", "--group=root:0", "--mtime=UTC 1970-01-01 00:00:00"];
  return tarOf(tree, [`--format=${format}`, ...options]);
}

/** As the hosts of the seed era called tar: members as they come, of who built them (build-bootstrap-config-image.sh). */
export function seedTar(tree: Tree): Buffer {
  return tarOf(tree, []);
}

/** The tree itself in the root of a FAT labelled CONFIG, as the newest hosts make it. @returns the image */
export function looseMedium(tree: Tree): Buffer {
  const folder = written(tree);
  const image = fat(["-n", "CONFIG"], 4 * 1024);
  run("mcopy", ["-s", "-i", image, ...topOf(tree).map((name) => join(folder, name)), "::"]);
  return readFileSync(image);
}

/** A tar in a FAT labelled CONFIG, twice as large as the tar and 1 MiB more. @returns the image */
export function todaysMedium(tar: Buffer): Buffer {
  return withTar(fat(["-n", "CONFIG"], Math.ceil((2 * tar.length) / 1024) + 1024), tar);
}

/** A tar in a FAT of 10 MiB without a label. @returns the image */
export function seedMedium(tar: Buffer): Buffer {
  return withTar(fat([], 10 * 1024), tar);
}

function withTar(image: string, tar: Buffer): Buffer {
  const file = join(mkdtempSync(join(tmpdir(), "tar-")), "ic-bootstrap.tar");
  writeFileSync(file, tar);
  run("mcopy", ["-i", image, file, "::"]);
  return readFileSync(image);
}

function fat(options: readonly string[], kibibytes: number): string {
  const image = join(mkdtempSync(join(tmpdir(), "fat-")), "config.img");
  run("mkfs.vfat", [...options, "-C", image, String(kibibytes)]);
  return image;
}

function tarOf(tree: Tree, options: readonly string[]): Buffer {
  const file = join(mkdtempSync(join(tmpdir(), "tar-")), "ic-bootstrap.tar");
  run("tar", ["-c", "-f", file, ...options, "-C", written(tree), "."]);
  return readFileSync(file);
}

function written(tree: Tree): string {
  const folder = mkdtempSync(join(tmpdir(), "tree-"));
  chmodSync(folder, 0o755);
  for (const [path, content] of Object.entries(tree)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

function topOf(tree: Tree): readonly string[] {
  return [...new Set(Object.keys(tree).map((path) => path.split("/")[0] ?? ""))];
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8", env: { ...process.env, MTOOLS_SKIP_CHECK: "1" } });
  if (status !== 0) throw new Error(`${program}: ${stderr} ${error?.message ?? ""}`);
}
