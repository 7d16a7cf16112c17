import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { checkFileSystem } from "../../src/system/disks/fsck.ts";
import { systemHost } from "../../src/system/host.ts";
import { partitionsOf } from "../../image/layout.ts";
import type { RawDisk } from "./raw-disk.ts";

/** What had lasted when the power was cut: the config partition after its journal was replayed. */
export interface ConfigAtCut {
  /** SHA-256 of each file, by path below /boot/config. */
  readonly files: ReadonlyMap<string, string>;
  /** Name and text of each intent. */
  readonly intents: ReadonlyMap<string, string>;
  /** Path and text of each other JSON file. */
  readonly documents: ReadonlyMap<string, string>;
}

const MIB = 1024 * 1024;
const partition = partitionsOf("lab").find(({ name }) => name === "config") ?? { startMiB: 0, sizeMiB: 0 };
/** Where the config partition is, in bytes. */
export const configPlace = { offset: partition.startMiB * MIB, length: partition.sizeMiB * MIB };
const SEPARATOR = "====";
/** Milliseconds. */
const REPAIR_TIMEOUT = 60_000;

/**
 * Mounts a copy of the partition, in a mount namespace of its own; one that cannot be mounted is repaired first, as the boot does.
 *
 * @throws Error when it cannot be mounted or repaired
 */
export async function configAtCut(disk: RawDisk, scratch: string): Promise<ConfigAtCut> {
  writeSparse(scratch, disk.read(configPlace.offset, configPlace.length));
  let read = mounted(scratch);
  if (read.status !== 0) {
    await checkFileSystem(systemHost({ signal: AbortSignal.timeout(REPAIR_TIMEOUT) }), "ext4", scratch, { evenIfClean: true });
    read = mounted(scratch);
  }
  if (read.status !== 0) throw new Error(`the config partition cannot be mounted: ${read.stderr}`);
  const [listing = "", ...texts] = read.stdout.split(SEPARATOR);
  const files = listing
    .split("\n")
    .filter((line) => line !== "")
    .map((line): [string, string] => [line.slice(66).replace("./", ""), line.slice(0, 64)]);
  const documents = texts.map((part): [string, string] => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1)]);
  const isIntent = ([path]: readonly [string, string]): boolean => path.startsWith("intents/");
  return {
    files: new Map(files),
    intents: new Map(documents.filter(isIntent).map(([path, text]) => [path.slice("intents/".length, -".json".length), text])),
    documents: new Map(documents.filter((document) => !isIntent(document))),
  };
}

/** Digests of all files, and the texts of those that are read. */
function mounted(scratch: string) {
  const script = [
    'mount -t ext4 -o loop,nodev,nosuid,noexec "$1" /mnt',
    "cd /mnt",
    "find . -type f -exec sha256sum {} +",
    `for file in intents/*.json slots/*.json *.json; do [ -e "$file" ] || continue; printf '${SEPARATOR}%s\\n' "$file"; cat "$file"; done`,
  ].join("\n");
  const inNamespace = ["--mount", "--propagation", "private", "sh", "-euc", script, "sh", scratch];
  return spawnSync("unshare", inNamespace, { encoding: "utf8" });
}

/** Most of it is zeros, and would take most of the time. */
function writeSparse(path: string, bytes: Uint8Array): void {
  const file = openSync(path, "w");
  try {
    ftruncateSync(file, bytes.length);
    const zeros = Buffer.alloc(64 * 1024);
    for (let at = 0; at < bytes.length; at += zeros.length) {
      const chunk = bytes.subarray(at, at + zeros.length);
      if (!zeros.subarray(0, chunk.length).equals(chunk)) writeSync(file, chunk, 0, chunk.length, at);
    }
  } finally {
    closeSync(file);
  }
}
