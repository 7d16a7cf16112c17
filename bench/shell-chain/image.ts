import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { copyExtent } from "../../image/extent.ts";
import { kernelArguments, partitionsOf } from "../../image/layout.ts";
import { buildFolder, image } from "../../image/paths.ts";
import { shippedExtent, updateContent } from "../../image/update/update-content.ts";
import { tool } from "../../lab/tool.ts";
import { FOLDER, steps, unitFiles } from "./chain.ts";

const SYSTEM = "/usr/lib/systemd/system";

export interface ImageOfBoth {
  readonly path: string;
  /** The kernel's command line, with the root hash of the root with both chains. */
  readonly cmdline: string;
}

/** The image of `make image` with the shell chain beside guestos-boot in its root: which of the two runs, the kernel's command line says. */
export async function imageOfBoth(): Promise<ImageOfBoth> {
  const path = join(buildFolder, "bench", "both-chains.img");
  await mkdir(join(buildFolder, "bench"), { recursive: true });
  await tool("cp", ["--sparse=always", image.disk, path], { timeout: 600_000 });
  const work = await mkdtemp(join(buildFolder, "bench", "work-"));
  try {
    const { boot, root, verified } = await updateContent("0.1.0", "lab", work, (file) => addShellChain(file, work));
    for (const [name, extent] of [["A_boot", boot] as const, ["A_root", root] as const]) {
      const { offset, bytes } = shippedExtent(name);
      await tool("fallocate", ["--punch-hole", `--offset=${offset}`, `--length=${bytes}`, path]);
      await copyExtent(extent, path, offset);
    }
    return { path, cmdline: kernelArguments("A", partitionsOf("lab"), verified) };
  } finally {
    await rm(work, { recursive: true });
  }
}

/** Writes the scripts and services into a root file system. @param work a folder for files on their way */
async function addShellChain(root: string, work: string): Promise<void> {
  const requests = [`mkdir ${FOLDER}`];
  for (const { name } of steps) requests.push(...put(join(import.meta.dirname, "steps", `${name}.sh`), `${FOLDER}/${name}.sh`, "0100755"));
  requests.push(...put(join(import.meta.dirname, "functions.sh"), `${FOLDER}/functions.sh`, "0100644"));
  for (const [name, text] of unitFiles()) {
    const file = join(work, name.replaceAll("/", "_"));
    await writeFile(file, text);
    const [folder, inner] = name.split("/");
    if (inner !== undefined) requests.push(`mkdir ${SYSTEM}/${folder}`);
    requests.push(...put(file, `${SYSTEM}/${name}`, "0100644"));
  }
  await writeFile(join(work, "requests"), `${requests.join("\n")}\n`);
  const { stderr } = await tool("debugfs", ["-w", "-f", join(work, "requests"), root]);
  const complaints = stderr.split("\n").filter((line) => line !== "" && !/^debugfs \d/.test(line));
  if (complaints.length > 0) throw new Error(`debugfs: ${complaints.join("; ")}`);
}

/** debugfs(8)'s requests that write a file of root's. */
function put(from: string, to: string, mode: string): readonly string[] {
  const folder = to.slice(0, to.lastIndexOf("/"));
  return [`cd ${folder}`, `write ${from} ${to.slice(folder.length + 1)}`, `set_inode_field ${to} mode ${mode}`, "cd /"].concat(
    ["uid", "gid"].map((field) => `set_inode_field ${to} ${field} 0`),
  );
}
