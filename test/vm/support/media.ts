import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { ProfileName } from "../../../src/profiles/profiles.ts";
import { makeConfigMedium } from "../../../lab/default-machine.ts";
import { buildFolder } from "../../../image/paths.ts";

const run = promisify(execFile);

/** Files of a configuration, by their name in the tar: "network.conf", "accounts_ssh_authorized_keys/admin". */
export type ConfigFiles = Readonly<Record<string, string>>;

/** A medium as the product makes it. @returns its path */
export async function configMedium(name: string, files: ConfigFiles, profile?: ProfileName): Promise<string> {
  const folder = await scratch(name);
  const from = join(folder, "config");
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(from, file)), { recursive: true });
    await writeFile(join(from, file), content);
  }
  const image = join(folder, "config.img");
  await makeConfigMedium(from, image, profile);
  return image;
}

/**
 * A medium that the product would never make: any bytes under any name, for what a node must refuse.
 *
 * @param files by their name on the medium: "ic-bootstrap.tar"
 * @returns its path
 */
export async function rawMedium(name: string, files: Readonly<Record<string, Uint8Array>>, label = "CONFIG"): Promise<string> {
  const folder = await scratch(name);
  const image = join(folder, "raw.img");
  const bytes = Object.values(files).reduce((sum, content) => sum + content.length, 0);
  // mkfs.vfat counts in KiB; twice the content and some leaves room for its tables.
  await run("mkfs.vfat", ["-C", "-n", label, image, String(4096 + Math.ceil((2 * bytes) / 1024))]);
  for (const [file, content] of Object.entries(files)) {
    const path = join(folder, file);
    await writeFile(path, content);
    await run("mcopy", ["-i", image, path, `::${file}`]);
  }
  return image;
}

async function scratch(name: string): Promise<string> {
  const parent = join(buildFolder, "vm", "media");
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, `${name}-`));
  process.once("exit", () => void rm(folder, { recursive: true, force: true }));
  return folder;
}
