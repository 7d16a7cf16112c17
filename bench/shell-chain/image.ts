import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { partitionsOf } from "../../image/layout.ts";
import { buildFolder, image } from "../../image/paths.ts";
import { tool } from "../../lab/tool.ts";
import { FOLDER, steps, unitFiles } from "./chain.ts";

const MIB = 1024 ** 2;
const SYSTEM = "/usr/lib/systemd/system";

/**
 * The image of `make image` with the shell chain beside guestos-boot in its root: which of the two runs, the kernel's command line says.
 *
 * @returns its path
 */
export async function imageOfBoth(): Promise<string> {
  const path = join(buildFolder, "bench", "both-chains.img");
  await mkdir(join(buildFolder, "bench"), { recursive: true });
  await tool("cp", ["--sparse=always", image.disk, path], { timeout: 600_000 });
  const root = partitionsOf("lab").find(({ name }) => name === "A_root");
  if (root === undefined) throw new Error("the layout has no A_root");
  const work = await mkdtemp(join(buildFolder, "bench", "work-"));
  try {
    const requests = [`mkdir ${FOLDER}`];
    for (const { name } of steps)
      requests.push(...put(join(import.meta.dirname, "steps", `${name}.sh`), `${FOLDER}/${name}.sh`, "0100755"));
    requests.push(...put(join(import.meta.dirname, "functions.sh"), `${FOLDER}/functions.sh`, "0100644"));
    for (const [name, text] of unitFiles()) {
      const file = join(work, name.replaceAll("/", "_"));
      await writeFile(file, text);
      const [folder, inner] = name.split("/");
      if (inner !== undefined) requests.push(`mkdir ${SYSTEM}/${folder}`);
      requests.push(...put(file, `${SYSTEM}/${name}`, "0100644"));
    }
    await writeFile(join(work, "requests"), `${requests.join("\n")}\n`);
    // libext2fs takes the offset behind the name (ext2fs_open2, "io_options").
    const { stderr } = await tool("debugfs", ["-w", "-f", join(work, "requests"), `${path}?offset=${root.startMiB * MIB}`]);
    const complaints = stderr.split("\n").filter((line) => line !== "" && !/^debugfs \d/.test(line));
    if (complaints.length > 0) throw new Error(`debugfs: ${complaints.join("; ")}`);
  } finally {
    await rm(work, { recursive: true });
  }
  if ((await stat(path)).size !== (await stat(image.disk)).size) throw new Error("debugfs changed the size of the image");
  return path;
}

/** debugfs(8)'s requests that write a file of root's. */
function put(from: string, to: string, mode: string): readonly string[] {
  const folder = to.slice(0, to.lastIndexOf("/"));
  return [`cd ${folder}`, `write ${from} ${to.slice(folder.length + 1)}`, `set_inode_field ${to} mode ${mode}`, "cd /"].concat(
    ["uid", "gid"].map((field) => `set_inode_field ${to} ${field} 0`),
  );
}
