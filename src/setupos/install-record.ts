import { hash } from "node:crypto";
import * as z from "../base/schema.ts";
import type { Host } from "../system/host.ts";

/** How far an installation is, in this order. What a phase names is on the disk. */
export const PHASES = ["begun", "emptied", "host-written", "guest-written", "configured", "complete"] as const;
export type Phase = (typeof PHASES)[number];

const Record = z.strictObject({
  version: z.literal(1),
  phase: z.enum(PHASES),
  /** A digest of what is installed: the images and the configuration. */
  input: z.string().check(z.regex(/^[0-9a-f]{32}$/)),
  /** A digest of the drives that it is installed on. */
  drives: z.string().check(z.regex(/^[0-9a-f]{32}$/)),
});

/** The record of an installation, on the system drive itself. */
export type InstallRecord = z.infer<typeof Record>;

/**
 * Bytes from the beginning of the drive. Between the partition table, which ends at 17 KiB, and the first partition, which begins at 1 MiB, a
 * drive that UEFI starts holds nothing. The record is one sector, which a drive writes whole or not at all.
 */
export const RECORD_OFFSET = 512 * 1024;
export const RECORD_BYTES = 512;

const MARK = "guestos-boot installation";

/** The record on a drive; `undefined` where there is none, or one that is damaged. */
export async function readInstallRecord(host: Host, drive: string): Promise<InstallRecord | undefined> {
  const sector = await host.readAt(drive, RECORD_OFFSET, RECORD_BYTES);
  const [mark, text = "", sum] = Buffer.from(sector ?? [])
    .toString("latin1")
    .split("\n");
  if (mark !== MARK || sum !== hash("sha256", text)) return undefined;
  try {
    return Record.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Durable when this returns. */
export async function writeInstallRecord(host: Host, drive: string, record: InstallRecord): Promise<void> {
  await host.writeInPlace(drive, recordSector(record), RECORD_OFFSET);
}

/** Takes the record of an earlier installation away from a drive that is no system drive any more. Durable when this returns. */
export async function removeInstallRecord(host: Host, drive: string): Promise<void> {
  if ((await readInstallRecord(host, drive)) !== undefined) await host.writeInPlace(drive, Buffer.alloc(RECORD_BYTES), RECORD_OFFSET);
}

function recordSector(record: InstallRecord): Buffer {
  const text = JSON.stringify(record);
  const sector = Buffer.alloc(RECORD_BYTES);
  const length = sector.write(`${MARK}\n${text}\n${hash("sha256", text)}\n`, "latin1");
  if (length >= RECORD_BYTES) throw new RangeError("the record does not fit into its sector");
  return sector;
}

/** A short digest, for the record. */
export function recordDigest(parts: readonly string[]): string {
  return hash("sha256", JSON.stringify(parts)).slice(0, 32);
}

/** Whether the drive has what that phase names. */
export function hasReached(phase: Phase | undefined, wanted: Phase): boolean {
  return phase !== undefined && PHASES.indexOf(phase) >= PHASES.indexOf(wanted);
}
