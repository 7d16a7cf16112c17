import { chmod, copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { image, stateFolder } from "../../../image/paths.ts";
import { shippedExtent, updateContent } from "../../../image/update/update-content.ts";
import { inTemporaryFolder } from "../../../image/tools.ts";
import { makeDisk } from "../../../lab/disk.ts";
import { tool } from "../../../lab/tool.ts";
import { diskOf } from "./node.ts";
import { type TestImage, testImage } from "./upgrade.ts";

/** The system of the image, with what only the makers of an orchestrator have: stand-ins for it, for its service and its template. */

const FILES: readonly (readonly [source: string, folder: string, name: string, mode: number])[] = [
  ["orchestrator.sh", "/opt/ic/bin", "orchestrator", 0o755],
  ["ic-replica.service", "/usr/lib/systemd/system", "ic-replica.service", 0o644],
  ["ic.json5.template", "/opt/ic/share", "ic.json5.template", 0o644],
];

/** Writes them into a root image, which nothing mounts. */
async function addOrchestrator(root: string): Promise<void> {
  await inTemporaryFolder(join(stateFolder("orchestrated"), "files"), async (work) => {
    const commands: string[] = [];
    for (const [source, folder, name, mode] of FILES) {
      const copy = join(work, name);
      await copyFile(join(import.meta.dirname, source), copy);
      await chmod(copy, mode);
      commands.push(
        `cd ${folder}`,
        `write ${copy} ${name}`,
        `sif ${name} mode 0100${mode.toString(8)}`,
        `sif ${name} uid 0`,
        `sif ${name} gid 0`,
      );
    }
    const script = join(work, "commands");
    await writeFile(script, `${commands.join("\n")}\n`);
    await tool("debugfs", ["-w", "-f", script, root], { timeout: 120_000 });
    // debugfs ends with 0 whatever happened.
    await tool("e2fsck", ["-f", "-n", root], { timeout: 120_000 });
    for (const [, folder, name] of FILES) {
      const { stdout } = await tool("debugfs", ["-R", `stat ${folder}/${name}`, root]);
      if (!stdout.includes("Type: regular")) throw new Error(`${name} is not in the root image: ${stdout}`);
    }
  });
}

/** A new disk whose system A has an orchestrator. */
export async function orchestratedDisk(name: string, size: string): Promise<string> {
  const disk = await makeDisk({ backing: image.disk, path: diskOf(name), size });
  await mkdir(stateFolder(name), { recursive: true });
  await inTemporaryFolder(stateFolder(name), async (work) => {
    const { boot, root } = await updateContent("0.1.0", "lab", work, addOrchestrator);
    for (const [name, { path, bytes }] of [["A_boot", boot] as const, ["A_root", root] as const]) {
      const write = `write -s ${path} ${shippedExtent(name).offset} ${bytes}`;
      await tool("qemu-io", ["-f", "qcow2", "-c", write, disk], { timeout: 300_000 });
    }
  });
  return disk;
}

/** An upgrade image whose system has one. */
export async function orchestratedImage(version: string): Promise<TestImage> {
  return testImage(version, addOrchestrator);
}
