import { read } from "node:fs";
import { promisify } from "node:util";
import { pause, systemClock } from "../../base/clock.ts";

export interface MessageLimits {
  /** An open socket. */
  readonly descriptor: number;
  /** Bytes. */
  readonly most: number;
  /** Milliseconds for all of it. */
  readonly patience: number;
  readonly signal: AbortSignal;
  /** Whether the bytes so far are all that the sender has to say: it may wait for a reply without closing its side. */
  readonly isWhole: (bytes: Uint8Array) => boolean;
}

export interface Message {
  readonly bytes: Uint8Array;
  /** `closed`: the sender closed its side, or is gone, in the middle of it. */
  readonly ending: "whole" | "closed" | "too long" | "late";
}

/** Bytes that are read beyond the limit. To close a socket that holds unread bytes would reset it, and the reply would be lost. */
const SURPLUS = 64 * 1024;
/** Milliseconds between two attempts to read from a socket that does not block. */
const RETRY = 20;

/**
 * One message from a socket that was handed over by systemd, of a kind that Node does not know: of a vsock as standard input
 * `process.stdin` ends at once, and a `net.Socket` of it throws (measured, Node 20 and 26). Plain read(2) works.
 *
 * A read that is pending at the end stays so, in a thread of its own: the caller ends the process.
 */
export async function readMessage({ descriptor, most, patience, signal, isWhole }: MessageLimits): Promise<Message> {
  const buffer = Buffer.alloc(most + SURPLUS);
  const done = new AbortController();
  const late = pause(systemClock, patience, AbortSignal.any([signal, done.signal]));
  let length = 0;
  try {
    for (;;) {
      const count = await Promise.race([readSome(descriptor, buffer.subarray(length), done.signal), late]);
      if (typeof count === "boolean") return { bytes: buffer.subarray(0, length), ending: "late" };
      length += count;
      const bytes = buffer.subarray(0, length);
      if (length > most) return { bytes, ending: "too long" };
      if (count === 0) return { bytes, ending: "closed" };
      if (isWhole(bytes)) return { bytes, ending: "whole" };
    }
  } finally {
    done.abort();
  }
}

/** @returns the number of bytes; 0 when no more will come */
async function readSome(descriptor: number, into: Buffer, signal: AbortSignal): Promise<number> {
  while (!signal.aborted) {
    try {
      return (await promisify(read)(descriptor, into, 0, into.length, null)).bytesRead;
    } catch (error) {
      // ECONNRESET and its like: the sender is gone, which is no fault of ours.
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) return 0;
      await pause(systemClock, RETRY, signal);
    }
  }
  return 0;
}
