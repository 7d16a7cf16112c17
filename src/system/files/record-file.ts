import { closeSync, constants, fchmodSync, fchownSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import type { FileAttributes, Host } from "../host.ts";
import { readersFile, readersFolder } from "../files/readers.ts";

/** The number of boots whose records are kept. */
export const KEPT_BOOTS = 20;

export interface LineFile {
  /** Appends one line with one write(2), so that a reader sees it whole or not at all. */
  readonly append: (line: string) => void;
  readonly close: () => void;
}

/**
 * Opens a file of lines for appending; creates it when missing. Root writes it, the group `READERS` reads it. The caller must be its only
 * writer.
 *
 * The half-written line of a killed writer is cut off first: otherwise the next line would be joined to it.
 */
export function openLineFile(path: string): LineFile {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o600);
  try {
    openToReaders(file);
    cutTornLine(file);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return {
    append: (line) => {
      const bytes = Buffer.from(`${line}\n`);
      for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
    },
    close: () => closeSync(file),
  };
}

/** Where that fails, the file stays readable by root alone: a boot must not lose its record because of it. */
function openToReaders(file: number): void {
  const { mode, gid, uid } = fstatSync(file);
  if ((mode & 0o7777) === readersFile.mode && gid === readersFile.gid) return;
  try {
    // The group first, so that no other group ever gets access.
    fchownSync(file, uid, readersFile.gid);
    fchmodSync(file, readersFile.mode);
  } catch {
    fchmodSync(file, 0o600);
  }
}

function cutTornLine(file: number): void {
  const block = Buffer.alloc(64 * 1024);
  for (let end = fstatSync(file).size; end > 0;) {
    const start = Math.max(0, end - block.length);
    const bytesRead = readSync(file, block, 0, end - start, start);
    const newline = block.subarray(0, bytesRead).lastIndexOf("\n");
    if (newline !== -1 && start + newline + 1 === fstatSync(file).size) return;
    if (newline !== -1 || start === 0) return ftruncateSync(file, start + newline + 1);
    end = start;
  }
}

/** `20261005T101500Z-<boot id>.jsonl`: names sort by time, and a boot has one file however often its record is kept. */
const KEPT_NAME = /^(\d{8}T\d{6}Z)-([0-9a-f-]{36})\.jsonl$/;
/** The remains that a power cut may leave of an atomic write of such a file. */
const LEFT_OVER = /^\.\d{8}T\d{6}Z-[0-9a-f-]{36}\.jsonl\./;

export interface KeptRecord {
  readonly path: string;
  readonly bootId: string;
}

/** The records of past boots, the newest first. */
export async function keptRecords(host: Host, folder: string): Promise<readonly KeptRecord[]> {
  return ((await host.list(folder)) ?? [])
    .flatMap((name) => {
      const bootId = KEPT_NAME.exec(name)?.[2];
      return bootId === undefined ? [] : [{ path: `${folder}/${name}`, bootId }];
    })
    .toReversed();
}

/**
 * Keeps this boot's record beyond the boot, whole or not at all, and removes all but the newest records.
 *
 * @param time when the boot's first run began, ISO 8601
 */
export async function keepRecord(
  host: Host,
  from: string,
  folder: string,
  boot: { readonly bootId: string; readonly time: string },
): Promise<void> {
  const content = await host.readBytes(from);
  if (content === undefined) return;
  await host.makeFolder(folder, readersFolder);
  await giveToReaders(host, folder, readersFolder);
  const known = (await keptRecords(host, folder)).find(({ bootId }) => bootId === boot.bootId);
  const path = known?.path ?? `${folder}/${boot.time.slice(0, 19).replaceAll(/[-:]/g, "")}Z-${boot.bootId}.jsonl`;
  await host.writeFile(path, content, readersFile);
  for (const kept of await keptRecords(host, folder)) await giveToReaders(host, kept.path, readersFile);
  // Never the one just kept, even if the clock was in the past when this boot began.
  const others = (await keptRecords(host, folder)).filter((kept) => kept.path !== path);
  for (const { path: old } of others.slice(KEPT_BOOTS - 1)) await host.remove(old);
  for (const name of (await host.list(folder)) ?? []) if (LEFT_OVER.test(name)) await host.remove(`${folder}/${name}`);
}

/** Opens to the readers what an older version made for root alone. */
async function giveToReaders(host: Host, path: string, wanted: Required<Pick<FileAttributes, "mode" | "gid">>): Promise<void> {
  const facts = await host.stat(path);
  if (facts !== undefined && (facts.mode !== wanted.mode || facts.gid !== wanted.gid)) await host.setAttributes(path, wanted);
}
