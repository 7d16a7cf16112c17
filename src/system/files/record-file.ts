import { closeSync, constants, fchmodSync, fchownSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import type { FileAttributes, Host } from "../host.ts";
import { readersFile, readersFolder } from "../files/readers.ts";

/** How many boots are kept. */
export const KEPT_BOOTS = 20;

export interface LineFile {
  /** Appends one line, with one write(2): a reader sees it whole or not at all. */
  readonly append: (line: string) => void;
  readonly close: () => void;
}

/**
 * Opens a file of lines for appending, made when absent: root writes it, the readers read it. The caller must be its only writer.
 *
 * A line that a killed writer left half written is cut off first: what follows would otherwise be glued to it.
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

/** Where that cannot be done, it stays closed to all but root: a boot must not do without its record for that. */
function openToReaders(file: number): void {
  const { mode, gid, uid } = fstatSync(file);
  if ((mode & 0o7777) === readersFile.mode && gid === readersFile.gid) return;
  try {
    // The group first: no other one is ever let in.
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

/** `20261005T101500Z-<boot id>.jsonl`: names sort by time, and a boot keeps one file however often it is kept. */
const KEPT_NAME = /^(\d{8}T\d{6}Z)-([0-9a-f-]{36})\.jsonl$/;
/** What a power cut may leave of an atomic write of such a file. */
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
 * Keeps this boot's record beyond the boot, whole or not at all, and forgets all but the newest boots.
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
  // Never the one just kept, even if the clock stood in the past when this boot began.
  const others = (await keptRecords(host, folder)).filter((kept) => kept.path !== path);
  for (const { path: old } of others.slice(KEPT_BOOTS - 1)) await host.remove(old);
  for (const name of (await host.list(folder)) ?? []) if (LEFT_OVER.test(name)) await host.remove(`${folder}/${name}`);
}

/** What an older version made for root alone. */
async function giveToReaders(host: Host, path: string, wanted: Required<Pick<FileAttributes, "mode" | "gid">>): Promise<void> {
  const facts = await host.stat(path);
  if (facts !== undefined && (facts.mode !== wanted.mode || facts.gid !== wanted.gid)) await host.setAttributes(path, wanted);
}
