import { existsSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../src/system/command.ts";
import { proxyVariables } from "./debian.ts";
import type { ImageOptions } from "./options.ts";
import { preparedEmulator, preparedEmulatorFolder } from "./paths.ts";
import { run, step, whole } from "./tools.ts";

/** The release whose QEMU boots a GuestOS in three quarters of the time that 7.2 takes: docs/lab.md. */
const SUITE = "trixie";
const QEMU_WORTH_USING = 10;

/**
 * Unpacks a newer QEMU below build/tools where the host's own is an old one. Nothing of it is installed on the host: it runs with
 * the libraries that it was built with. Where the mirror has none, the host's own does the same, and takes longer.
 */
export async function prepareEmulator(options: ImageOptions): Promise<void> {
  if (existsSync(preparedEmulator)) return;
  const version = await hostVersion();
  // Without one, no machine is started here: an image alone needs none.
  if (version === undefined || version >= QEMU_WORTH_USING) return;
  try {
    await step(`QEMU of Debian ${SUITE} from ${options.mirror}`, () => unpackEmulator(options));
  } catch (error) {
    if (!(error instanceof CommandError) || error.ending.kind === "cancelled") throw error;
    console.log(
      `image: QEMU of Debian ${SUITE} is not to be had, so machines run in the host's ${version}, which is slower. ${error.message}`,
    );
  }
}

function unpackEmulator({ mirror }: ImageOptions): Promise<void> {
  return whole(preparedEmulatorFolder, async (folder) => {
    const root = join(folder, "root");
    // It makes this folder itself, whose own parent must be there.
    await mkdir(folder, { recursive: true });
    const args = ["--variant=extract", "--mode=root", "--include=qemu-system-x86,seabios", SUITE, root, mirror];
    await run("mmdebstrap", args, { env: proxyVariables(process.env) });
    const program = join(folder, "qemu-system-x86_64");
    await writeFile(program, launcher);
    await chmod(program, 0o755);
  });
}

/** The dynamic linker by name (ld.so(8)): the host's would take the host's libraries. */
const launcher = `#!/bin/sh
root=$(dirname "$0")/root
libraries=$root/usr/lib/x86_64-linux-gnu
exec "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" "$root/usr/bin/qemu-system-x86_64" \\
  -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" "$@"
`;

async function hostVersion(): Promise<number | undefined> {
  try {
    return Number(/version (\d+)/.exec(await run("qemu-system-x86_64", ["--version"]))?.[1] ?? 0);
  } catch (error) {
    if (error instanceof CommandError && error.ending.kind === "not-found") return undefined;
    throw error;
  }
}
