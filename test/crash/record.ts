import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stateFolder } from "../../image/paths.ts";
import { tool } from "../../lab/tool.ts";
import { startVirtualMachine, type VirtualMachineOptions } from "../../lab/start-virtual-machine.ts";
import type { VirtualMachine } from "../../lab/virtual-machine.ts";
import { writesOf } from "./crash-states.ts";
import { openWriteLog } from "./log-writes.ts";
import { RawDisk } from "./raw-disk.ts";

/** In milliseconds; a disk is copied, with its holes. */
export const COPY_TIMEOUT = 600_000;

/** Runs a machine of that name on a copy of the disk, with every write logged. */
export async function recorded<T>(
  name: string,
  base: string,
  log: string,
  options: Omit<VirtualMachineOptions, "name" | "disk">,
  story: (vm: VirtualMachine) => Promise<T>,
): Promise<T> {
  const path = join(stateFolder(name), "disk.img");
  await mkdir(stateFolder(name), { recursive: true });
  await tool("cp", ["--sparse=always", base, path], { timeout: COPY_TIMEOUT });
  await writeFile(log, "");
  try {
    await using vm = await startVirtualMachine({ processors: 2, ...options, name, disk: { path, format: "raw", log } });
    const told = await story(vm);
    const [failed] = /I\/O error, dev vda\b.*/.exec(vm.serial.text) ?? [];
    if (failed !== undefined) throw new Error(`the disk that was recorded failed: ${failed}`);
    return told;
  } finally {
    await rm(path, { force: true });
  }
}

/** The disk with all that a log has. */
export async function replayed(base: string, log: string, to: string): Promise<void> {
  await tool("cp", ["--sparse=always", base, to], { timeout: COPY_TIMEOUT });
  using entries = openWriteLog(log);
  using disk = new RawDisk(to);
  for (const { index } of entries.entries) disk.apply(writesOf(entries, index, index + 1));
}
