import { readFileSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, open, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { copyExtent } from "../../../image/extent.ts";
import { diskMiB, partitionNamed, partitionsOf } from "../../../image/layout.ts";
import { directBoot } from "../../../lab/direct-boot.ts";
import { makeDisk } from "../../../lab/disk.ts";
import { tool } from "../../../lab/tool.ts";
import { blockOf, readBootState } from "../../../src/upgrade/boot-state.ts";
import { readAsGrub } from "../../crash/read-as-grub.ts";

const MIB = 1024 * 1024;
const partitions = partitionsOf("lab");
let folder: string;
let image: string;

async function empty(name: string, bytes: number): Promise<string> {
  const path = join(folder, name);
  await (await open(path, "wx")).close();
  await truncate(path, bytes);
  return path;
}

async function fill(name: string, from: string): Promise<void> {
  const { startMiB, sizeMiB } = partitionNamed(partitions, name);
  await copyExtent({ path: from, offset: 0, bytes: sizeMiB * MIB }, image, startMiB * MIB);
}

/** A disk of the lab's layout whose B is to be tried. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "direct-boot-"));
  image = await empty("image", diskMiB(partitions) * MIB);
  const table = partitions.map(({ startMiB, sizeMiB, name }) => `start=${startMiB}MiB, size=${sizeMiB}MiB, name=${name}`);
  await tool("sfdisk", ["--quiet", image], { input: ["label: gpt", ...table, ""].join("\n") });

  const grub = await empty("grub", partitionNamed(partitions, "grub").sizeMiB * MIB);
  await writeFile(join(folder, "grubenv"), blockOf({ alternative: "B", cycle: "first_boot", trial: "B" }, []));
  await tool("mkfs.vfat", [grub]);
  await tool("mcopy", ["-i", grub, join(folder, "grubenv"), "::grubenv"]);
  await fill("grub", grub);

  for (const slot of ["A", "B"]) {
    const files = join(folder, `files-${slot}`);
    await mkdir(files);
    for (const name of ["vmlinuz", "initrd.img"]) writeFileSync(join(files, name), `${name} of ${slot}`);
    writeFileSync(join(files, "boot_args"), 'BOOT_ARGS_A="root=1 system=A"\nBOOT_ARGS_B="root=2 system=B"\n');
    const boot = await empty(slot, partitionNamed(partitions, `${slot}_boot`).sizeMiB * MIB);
    await tool("mkfs.ext4", ["-q", "-d", files, boot]);
    await fill(`${slot}_boot`, boot);
  }
});

afterAll(async () => rm(folder, { recursive: true, force: true }));

test.for(["raw", "qcow2"] as const)(
  "from a %s disk the system of the next boot is taken, and the state is advanced: B is tried once, then it is A",
  async (format, { expect }) => {
    const path = await makeDisk({ backing: image, path: join(folder, `disk.${format}`), format });
    const scratch = join(folder, `scratch-${format}`);
    const first = await directBoot({ path, format }, scratch);
    expect(first).toMatchObject({ slot: "B", cycle: "failsafe_check", boot: { cmdline: "root=2 system=B" } });
    expect(readFileSync(first.boot.kernel, "utf8")).toBe("vmlinuz of B");
    expect(readFileSync(first.boot.initrd, "utf8")).toBe("initrd.img of B");
    const second = await directBoot({ path, format }, scratch);
    expect(second).toMatchObject({ slot: "A", cycle: "stable", boot: { cmdline: "root=1 system=A" } });
    expect(readFileSync(second.boot.kernel, "utf8")).toBe("vmlinuz of A");
  },
);

test("what is left on the disk is a block that GRUB reads the same state from", async () => {
  const path = await makeDisk({ backing: image, path: join(folder, "left.raw"), format: "raw" });
  await directBoot({ path, format: "raw" }, join(folder, "scratch"));
  const { state, faults } = readBootState(readAsGrub(path, "grubenv", "gpt2"));
  expect({ state, faults }).toEqual({ state: { alternative: "B", cycle: "failsafe_check", trial: "B" }, faults: [] });
});
