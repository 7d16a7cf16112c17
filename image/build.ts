import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { debianStage, type Stage } from "./debian.ts";
import { type DiskContents, type DiskPlan, makeDisk } from "./disk.ts";
import { prepareEmulator } from "./emulator.ts";
import { bootArgs } from "./grub.ts";
import { makeExt4, type Place } from "./filesystems.ts";
import { kernelArguments, type Partition, partitionNamed, partitionsOf, rootBytes } from "./layout.ts";
import { type ImageOptions, optionsFrom } from "./options.ts";
import { installProduct } from "./product.ts";
import { stickArguments } from "./setupos/layout.ts";
import { stickContents, stickPlan } from "./setupos/stick.ts";
import { makeSmallGuest } from "./small-guest/small-guest.ts";
import { systemStage, unpack } from "./system.ts";
import { imageOf } from "./paths.ts";
import { hostosArguments, hostosDisk, makeVolumeGroup } from "./volume-group.ts";
import { fingerprint, inTemporaryFolder, interrupted, step, whole } from "./tools.ts";
import { addHashTree, type VerifiedRoot } from "./verity.ts";
import { problemLines, ProblemError, toProblem } from "../src/base/problem.ts";

const MIB = 1024 * 1024;

/** Builds the image unless one of the same inputs is there. See docs/image.md. */
async function build(options: ImageOptions): Promise<void> {
  const inTree = (path: string): string => join(options.tree, path);
  const { profile, suite, mirror, layout, variant, version, epoch } = options;
  const key = await fingerprint(
    [profile, suite, mirror, layout, variant, version, String(epoch)],
    [
      ...["etc", "share", "CHANGELOG.md", "image"],
      ...["dist/guestos-boot", "dist/man", "dist/sbom.cdx.json", "dist/copyright", "tools/install.sh", "tools/package"],
    ]
      .map(inTree)
      .concat(
        options.hostosConfig ?? [],
        options.stickFolder ?? [],
        profile === "setupos" ? [imageOf("hostos").key, imageOf("guestos").key] : [],
      ),
  );
  const files = imageOf(profile);
  const isRoot = process.getuid?.() === 0;
  if (Object.values(files).every((path) => existsSync(path)) && (await readFile(files.key, "utf8")) === key) {
    // There may be a QEMU now that was not there when the image was built.
    if (isRoot) await prepareEmulator(options);
    return;
  }
  if (!isRoot) {
    throw new ProblemError({
      code: "image-root-required",
      what: "the image has to be built as root",
      expected: "root: files of other owners, chroot, mmdebstrap --mode=root",
      todo: "run it with sudo",
    });
  }
  await prepareEmulator(options);
  const system = await systemStage(options, await debianStage(options));
  await rm(files.key, { force: true });
  await inTemporaryFolder(options.out, (folder) => buildDisk(options, system, folder));
  await whole(files.key, (temporary) => writeFile(temporary, key));
}

async function buildDisk(options: ImageOptions, system: Stage, folder: string): Promise<void> {
  const root = join(folder, "root");
  const boot = join(folder, "boot");
  const config = join(folder, "config");
  const files = imageOf(options.profile);
  await step("unpack, install the product", async () => {
    await unpack(system.tar, root);
    await installProduct(options, root);
    await takeBootFiles(root, boot);
  });
  await mkdir(config, { mode: 0o755 });
  if (options.hostosConfig !== undefined) {
    await copyFile(options.hostosConfig, join(config, "config.json"));
    await chmod(join(config, "config.json"), 0o600);
  }
  const rootImage = join(folder, "root.img");
  if (options.profile === "setupos") return buildStick(options, { root, boot, rootImage, folder });
  const { plan, args } =
    options.profile === "hostos" ? await hostosRoot(options, root, rootImage) : await verifiedRoot(options, root, rootImage);
  await writeFile(join(boot, "boot_args"), bootArgs(args));
  const guest = await smallGuest(options, plan, root, boot, folder);
  await step(`disk, profile ${options.profile}, layout ${options.layout}, variant ${options.variant}`, () =>
    whole(files.disk, (temporary) =>
      makeDisk(temporary, plan, { system: root, rootImage, boot, config, ...guest, work: folder, epoch: options.epoch }),
    ),
  );
  await whole(files.kernel, (temporary) => copyFile(join(boot, "vmlinuz"), temporary));
  await whole(files.initrd, (temporary) => copyFile(join(boot, "initrd.img"), temporary));
  await whole(files.cmdline, (temporary) => writeFile(temporary, `${args("A")}\n`));
}

interface StickTrees {
  readonly root: string;
  readonly boot: string;
  readonly rootImage: string;
  readonly folder: string;
}

/** The stick of an installer: one system, the two others in archives, and a configuration. */
async function buildStick(options: ImageOptions, { root, boot, rootImage, folder }: StickTrees): Promise<void> {
  const files = imageOf(options.profile);
  const plan = stickPlan(options);
  const contents = await stickContents(options, root, boot, folder);
  await plainRoot(options, partitionNamed(plan.places, "root"), root, rootImage);
  await writeFile(join(boot, "boot_args"), `boot_args="${stickArguments()}"\n`);
  await step(`stick, layout ${options.layout}, variant ${options.variant}`, () =>
    whole(files.disk, (temporary) =>
      makeDisk(temporary, plan, { system: root, rootImage, boot, ...contents, work: folder, epoch: options.epoch }),
    ),
  );
  await whole(files.kernel, (temporary) => copyFile(join(boot, "vmlinuz"), temporary));
  await whole(files.initrd, (temporary) => copyFile(join(boot, "initrd.img"), temporary));
  await whole(files.cmdline, (temporary) => writeFile(temporary, `${stickArguments()} ic.setupos.run_checks=0\n`));
}

/** A root without a hash tree, in a file of its place's size. */
async function plainRoot({ epoch }: ImageOptions, partition: Place, tree: string, file: string): Promise<void> {
  await step("root file system", async () => {
    await writeFile(file, "");
    await truncate(file, partition.sizeMiB * MIB);
    const place = { startMiB: 0, sizeMiB: partition.sizeMiB };
    await makeExt4(file, { partition, place, folder: tree, system: tree, epoch, journal: false });
  });
}

/** The disk of a system, and the kernel command line of each of its slots. */
interface BuiltRoot {
  readonly plan: DiskPlan;
  readonly args: (slot: "A" | "B") => string;
}

async function verifiedRoot(options: ImageOptions, tree: string, file: string): Promise<BuiltRoot> {
  const partitions = partitionsOf(options.layout);
  const verified = await step("root file system and its hash tree", () => makeRoot(options, partitions, tree, file));
  return { plan: { partitions, places: partitions }, args: (slot) => kernelArguments(slot, partitions, verified) };
}

/** On logical volumes, and without a hash tree. */
async function hostosRoot(options: ImageOptions, tree: string, file: string): Promise<BuiltRoot> {
  const disk = hostosDisk(options.layout);
  const partition = disk.volumes.find(({ name }) => name === "A_root");
  if (partition === undefined) throw new Error("no volume A_root");
  await plainRoot(options, partition, tree, file);
  const plan: DiskPlan = {
    partitions: disk.partitions,
    places: [...disk.partitions, ...disk.volumes],
    bootDevice: (slot) => `lvm/hostlvm-${slot}_boot`,
    makeVolumes: (path, contents) => makeVolumeGroup(path, disk, contents),
  };
  return { plan, args: hostosArguments };
}

/** The guest that a host for development has: it runs within an emulated host too. In any other image the guest's volume is zeros. */
async function smallGuest(
  { variant, epoch }: ImageOptions,
  { places }: DiskPlan,
  system: string,
  boot: string,
  work: string,
): Promise<Pick<DiskContents, "guest">> {
  const volume = places.find(({ name }) => name === "guestos");
  if (volume === undefined || variant !== "dev") return {};
  const guest = join(work, "guest.img");
  const options = { system, kernel: join(boot, "vmlinuz"), sizeMiB: volume.sizeMiB, work, epoch };
  await step("disk of a small guest", async () => makeSmallGuest(guest, options));
  return { guest };
}

/** The boot partition's tree: kernel, initramfs and mount points. In the root, /boot is an empty mount point. */
async function takeBootFiles(root: string, boot: string): Promise<void> {
  for (const folder of ["efi", "grub", "config"]) await mkdir(join(boot, folder), { recursive: true });
  for (const name of ["vmlinuz", "initrd.img"]) await rename(join(root, "boot", name), join(boot, name));
  for (const name of await readdir(join(root, "boot"))) await rm(join(root, "boot", name), { recursive: true });
}

/** The root partition in a file: its file system, never written, so without a journal (32 MiB), and the hash tree of that. */
async function makeRoot(options: ImageOptions, partitions: readonly Partition[], tree: string, file: string): Promise<VerifiedRoot> {
  const partition = partitionNamed(partitions, "A_root");
  const offset = rootBytes(options.layout);
  await writeFile(file, "");
  await truncate(file, partition.sizeMiB * MIB);
  const place = { startMiB: 0, sizeMiB: offset / MIB };
  await makeExt4(file, { partition, place, folder: tree, system: tree, epoch: options.epoch, journal: false });
  return addHashTree(file, offset, partition.uuid);
}

// Folders and files that the builder makes must not get their modes from the account that runs it.
process.umask(0o022);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
try {
  await build(await optionsFrom(process.env));
} catch (error) {
  console.error(`image: ${problemLines(toProblem(error)).join("\n       ")}`);
  process.exitCode = 1;
}
