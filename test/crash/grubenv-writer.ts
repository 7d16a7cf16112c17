import { execFileSync } from "node:child_process";
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { guestosLayout } from "../../src/config/layout/layout.ts";
import { systemHost } from "../../src/system/host.ts";
import { writeGrubenv } from "../../src/upgrade/grubenv-file.ts";
import { type Case, grubenvCases, MARK_AT } from "./grubenv-cases.ts";

/** Runs in the guest: on the disk of each case, which it finds by its serial number, writes the new block over the old one. */
async function main(): Promise<void> {
  const file = guestosLayout.grubenv;
  for (const disk of readdirSync("/sys/block").filter((name) => name.startsWith("vd"))) {
    const serial = readFileSync(`/sys/block/${disk}/serial`, "utf8");
    const found = [...grubenvCases.ours, ...grubenvCases.naive].find(({ name }) => name === serial);
    if (found === undefined) continue;
    const device = `/dev/${disk}`;
    const folder = dirname(file);
    run("mount", "-t", "vfat", "-o", "rw,umask=0077,nodev,nosuid,noexec", device, folder);
    run("sync");
    mark(device, "begin");
    await write(found, file);
    mark(device, "returned");
    // Nothing may pass as written that is not.
    if (!readFileSync(file).equals(found.block)) throw new Error(`${found.name}: ${file} is not what was written`);
    run("umount", folder);
    // QEMU writes the log's superblock at a flush, and some of these ways never ask for one.
    run("sync", device);
    console.log(`grubenv-crash: ${found.name}`);
  }
}

async function write({ way, block }: Case, file: string): Promise<void> {
  switch (way) {
    case "program":
      return run("guestos-boot", "upgrade", "commit", "--no-reboot");
    case "ours": {
      const host = systemHost({ signal: new AbortController().signal });
      return writeGrubenv(host, file, await host.readBytes(file), block);
    }
    case "truncate":
      return into(file, block, { sync: true });
    case "cat":
      return into(file, block, { sync: false });
    case "rename":
      into(`${file}.new`, block, { sync: false });
      return renameSync(`${file}.new`, file);
    case "rename-synced": {
      into(`${file}.new`, block, { sync: true });
      renameSync(`${file}.new`, file);
      const folder = openSync(dirname(file), "r");
      fsyncSync(folder);
      return closeSync(folder);
    }
  }
}

function into(path: string, bytes: Uint8Array, { sync }: { readonly sync: boolean }): void {
  const file = openSync(path, "w");
  writeSync(file, bytes);
  if (sync) fsyncSync(file);
  closeSync(file);
}

/** Says in the log how far it is: a sector behind the file system, past the page cache, and without a flush. */
function mark(device: string, name: string): void {
  writeFileSync("/tmp/mark", name.padEnd(512));
  run("dd", "if=/tmp/mark", `of=${device}`, "bs=512", `seek=${MARK_AT / 512}`, "oflag=direct", "conv=notrunc", "status=none");
}

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { stdio: "inherit" });
}

void main().then(
  () => console.log("grubenv-crash: done"),
  (error: unknown) => console.log(error, "\ngrubenv-crash: failed"),
);
