import { foreignText } from "../../base/foreign-words.ts";
import type { Host } from "../host.ts";

/**
 * One journal entry. Names are upper-case letters, digits and underscores; a list becomes one field of that name for each of its values.
 */
export type JournalFields = Readonly<Record<string, string | readonly string[]>>;

/**
 * A datagram must fit into the socket's send buffer (net.core.wmem_default, 208 KiB). No text of ours is that long, but a tool's output may
 * be.
 */
const LONGEST_VALUE = 32 * 1024;

/**
 * An entry in the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram. A value with a line end is preceded by its
 * length, 64 bits, little-endian. So no value can be mistaken for another field.
 */
export function journalEntry(fields: JournalFields): Buffer {
  const parts = Object.entries(fields).flatMap(([name, value]) =>
    (typeof value === "string" ? [value] : value).map((text) => fieldBytes(name, cut(Buffer.from(text)))),
  );
  return Buffer.concat(parts);
}

function fieldBytes(name: string, value: Buffer): Buffer {
  if (!value.includes(0x0a)) return Buffer.concat([Buffer.from(`${name}=`), value, NEWLINE]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, value, NEWLINE]);
}

const NEWLINE = Buffer.from("\n");

function cut(value: Buffer): Buffer {
  return value.length <= LONGEST_VALUE ? value : Buffer.concat([value.subarray(0, LONGEST_VALUE), Buffer.from("…")]);
}

/** The levels of syslog(3) that are used here. */
export const PRIORITIES = { error: 3, warn: 4, notice: 5, info: 6 } as const;

/** The first descriptor that systemd passes (sd_listen_fds(3), SD_LISTEN_FDS_START). */
const FIRST_PASSED = 3;

/**
 * The descriptor that systemd has opened for this process under that name (OpenFile=, systemd.service(5)). `undefined` when it has not: no
 * such line in the unit, an older systemd, or a program started by hand.
 */
export function passedDescriptor(name: string, env: NodeJS.ProcessEnv = process.env, pid = process.pid): number | undefined {
  if (env["LISTEN_PID"] !== String(pid)) return undefined;
  const index = (env["LISTEN_FDNAMES"] ?? "").split(":").indexOf(name);
  return index === -1 || index >= Number(env["LISTEN_FDS"]) ? undefined : FIRST_PASSED + index;
}

/** A text as lines for a stream into the journal, which reads the level from "<N>" at each line's start (sd-daemon(3)). */
export function prefixedLines(level: keyof typeof PRIORITIES, text: string): string {
  return text
    .split("\n")
    .map((line) => `<${PRIORITIES[level]}>${line}`)
    .join("\n");
}

/**
 * Adds an entry with fields of our own, for callers without a descriptor of the journal. Line ends in values become blanks.
 *
 * @throws CommandError
 */
export async function addToJournal(host: Host, fields: JournalFields): Promise<void> {
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    (typeof value === "string" ? [value] : value).map((text) => `${name}=${text.replaceAll("\n", " ")}\n`),
  );
  await host.run({ program: "logger", args: ["--journald"], input: lines.join("") });
}

/**
 * The last messages of a service, and of systemd about it, in this boot. Empty when they cannot be read: that must not cause a second
 * failure.
 */
export async function lastWords(host: Host, service: string, lines = 5): Promise<readonly string[]> {
  try {
    const { stdout } = await host.run({
      program: "journalctl",
      args: ["--boot", `--unit=${service}`, `--lines=${lines}`, "--output=cat", "--quiet", "--no-pager"],
      timeout: 10_000,
    });
    return foreignText(stdout)
      .split("\n")
      .filter((line) => line.trim() !== "");
  } catch {
    return [];
  }
}
