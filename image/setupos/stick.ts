import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ProblemError } from "../../src/base/problem.ts";
import type { StickImages } from "../../src/setupos/images.ts";
import type { DiskContents, DiskPlan } from "../disk.ts";
import { extentInFile } from "../extent.ts";
import { partitionNamed } from "../layout.ts";
import type { ImageOptions } from "../options.ts";
import { imageOf } from "../paths.ts";
import { sourceDate } from "../../tools/package/source-date.ts";
import { run, step } from "../tools.ts";
import { hostosDisk } from "../volume-group.ts";
import { writeArchive } from "./archive.ts";
import { stickPartitions } from "./layout.ts";

const MIB = 1024 * 1024;

/** Where everything is on a stick. */
export function stickPlan(options: ImageOptions): DiskPlan {
  const partitions = stickPartitions(options.layout);
  return { partitions, places: partitions, grubFile: join(import.meta.dirname, "grub.cfg") };
}

/** What is on a stick besides its system. */
export async function stickContents(
  options: ImageOptions,
  root: string,
  boot: string,
  work: string,
): Promise<Pick<DiskContents, "config" | "data" | "configFiles">> {
  const data = join(work, "data");
  await mkdir(data);
  const images = await step("archives of HostOS and GuestOS", async () => archives(options, data, work));
  await writeFile(join(data, "images.json"), `${JSON.stringify(images)}\n`);
  await writeFile(join(root, "commit-time"), `${sourceDate()}\n`);
  for (const folder of ["config", "data"]) await mkdir(join(root, folder), { recursive: true });
  const folder = options.stickFolder;
  if (folder === undefined) throw new Error("a stick without its folder");
  await cp(join(folder, "data"), data, { recursive: true });
  // What a laboratory cannot meet is not asked for.
  if (options.variant === "dev") await writeFile(join(boot, "extra_boot_args"), 'EXTRA_BOOT_ARGS="ic.setupos.run_checks=0"\n');
  const config = join(folder, "config");
  return { config: data, data, configFiles: existsSync(config) ? await filesBelow(config) : {} };
}

async function filesBelow(folder: string, prefix = ""): Promise<Record<string, Uint8Array>> {
  const found: Record<string, Uint8Array> = {};
  for (const name of (await readdir(join(folder, prefix))).toSorted()) {
    const path = join(prefix, name);
    if ((await stat(join(folder, path))).isDirectory()) Object.assign(found, await filesBelow(folder, path));
    else found[path] = await readFile(join(folder, path));
  }
  return found;
}

/** The disk of `make image PROFILE=hostos`, without its guest; and the guest: that of it, or a whole GuestOS. */
async function archives(options: ImageOptions, data: string, work: string): Promise<StickImages> {
  const host = imageOf("hostos").disk;
  if (!existsSync(host))
    throw new ProblemError({
      code: "image-hostos-missing",
      what: "there is no HostOS to put on the stick",
      where: { file: host },
      todo: "make image PROFILE=hostos",
    });
  const disk = hostosDisk(options.layout);
  const guest = partitionNamed(disk.volumes, "guestos");
  const [offset, bytes] = [guest.startMiB * MIB, guest.sizeMiB * MIB];
  const guestDisk =
    options.variant === "dev" ? await extentInFile({ path: host, offset, bytes }, join(work, "guest.img")) : await wholeImage("guestos");
  const guestos = await writeArchive(join(data, "guest-os.img.tar.zst"), guestDisk);
  const copy = join(work, "host.img");
  await copyFile(host, copy);
  await run("fallocate", ["--punch-hole", "--keep-size", `--offset=${offset}`, `--length=${bytes}`, copy]);
  const hostos = await writeArchive(join(data, "host-os.img.tar.zst"), { path: copy, offset: 0, bytes: (await stat(copy)).size });
  await rm(copy);
  return { format: 1, version: options.version, hostos, guestos };
}

async function wholeImage(profile: "guestos"): Promise<{ readonly path: string; readonly offset: number; readonly bytes: number }> {
  const path = imageOf(profile).disk;
  if (!existsSync(path))
    throw new ProblemError({
      code: "image-guestos-missing",
      what: "there is no GuestOS to put on the stick",
      where: { file: path },
      todo: "make image",
    });
  return { path, offset: 0, bytes: (await stat(path)).size };
}
