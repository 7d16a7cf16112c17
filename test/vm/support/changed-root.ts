import type { VirtualMachine } from "../../../lab/virtual-machine.ts";

/** A file of the root. */
export interface RootFile {
  readonly path: string;
  readonly mode: string;
  readonly content: string;
}

/**
 * Writes files into the root of a running machine, for its next boot, as if the image had been built with them. Nothing but debugfs(8) can:
 * a root that is verified cannot be mounted writable. What it changes no longer matches the root hash, so that boot has to be "unverified",
 * and this one should end.
 */
export async function writeRoot(vm: VirtualMachine, files: readonly RootFile[]): Promise<void> {
  const staged = files.map((file, index) => ({ ...file, from: `/run/staged-${index}` }));
  for (const { from, mode, content } of staged)
    await vm.shell.ok(`base64 -d >${from} <<'END' && chmod ${mode} ${from}\n${Buffer.from(content).toString("base64")}\nEND`);
  // debugfs says with 0 that it did what it could not do: a folder that is there is a complaint too.
  const requests = staged.flatMap(({ path, from }) => [...foldersAbove(path).map((folder) => `mkdir ${folder}`), `write ${from} ${path}`]);
  const device = "/dev/disk/by-partlabel/A_root";
  await vm.shell.ok(`debugfs -w -f - ${device} <<'END' && sync\n${requests.join("\n")}\nEND`);
  for (const { path, from } of staged) await vm.shell.ok(`debugfs -R 'cat ${path}' ${device} | cmp - ${from} && rm ${from}`);
}

function foldersAbove(path: string): readonly string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}
