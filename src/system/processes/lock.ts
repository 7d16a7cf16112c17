import { closeSync, constants, createReadStream, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { jsonIn } from "../../base/json.ts";
import * as z from "../../base/schema.ts";
import { CommandError, runTool } from "../command.ts";

/** The process that holds the lock, as it recorded itself: with the command line as typed, and the wall-clock time (ISO 8601). */
const LockHolder = z.object({ pid: z.number(), command: z.string(), since: z.string() });
export type LockHolder = z.infer<typeof LockHolder>;

/** The present process as a holder. */
export function holderOf(command: string): LockHolder {
  return { pid: process.pid, command, since: new Date().toISOString() };
}

/** A holder in words, for a message. */
export function holderText({ pid, command, since }: LockHolder): string {
  return `process ${pid}, ${JSON.stringify(command)}, since ${since}`;
}

export type LockAttempt =
  | { readonly kind: "taken"; readonly release: () => void }
  /** `holder` is absent when it has not yet recorded itself. */
  | { readonly kind: "held"; readonly holder: LockHolder | undefined }
  /** The signal was aborted while waiting. */
  | { readonly kind: "cancelled" };

export interface LockRequest {
  /** Seconds to wait for it; 0 to return at once. */
  readonly wait: number;
  readonly holder: LockHolder;
  readonly signal: AbortSignal;
}

/** EX_TEMPFAIL of sysexits.h: a status that flock(1) itself does not use. */
const CONFLICT = 75;
/** Milliseconds beyond flock(1)'s own waiting time. */
const GRACE = 30_000;

/**
 * Takes an exclusive kernel lock that ends with this process, however it ends.
 *
 * flock(2): the lock belongs to the open file description, not to a process. So flock(1), given our descriptor as its standard input, locks
 * on our behalf and exits. The lock stays until our last copy is closed: by `release`, or by the kernel when this process ends. Tools that
 * we start do not get a copy, because Node opens files close-on-exec.
 *
 * @param path the lock file, made when missing; its folder must exist
 * @throws Error when the file cannot be opened, or flock(1) cannot be run
 */
export async function takeLock(path: string, request: LockRequest): Promise<LockAttempt> {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  let kept = false;
  try {
    if (!(await isFree(file, request))) return { kind: "held", holder: readHolder(path) };
    ftruncateSync(file);
    writeSync(file, `${JSON.stringify(request.holder)}\n`, 0);
    kept = true;
    return { kind: "taken", release: () => closeSync(file) };
  } catch (error) {
    if (error instanceof CommandError && error.ending.kind === "cancelled") return { kind: "cancelled" };
    throw error;
  } finally {
    if (!kept) closeSync(file);
  }
}

/** Tries to lock the file. @returns whether we hold the lock now */
async function isFree(file: number, { wait, signal }: LockRequest): Promise<boolean> {
  const limit = wait === 0 ? ["--nonblock"] : ["--timeout", String(wait)];
  const args = [...limit, "--conflict-exit-code", String(CONFLICT), "0"];
  const command = { program: "flock", args, okStatuses: [0, CONFLICT], todo: "install util-linux" };
  const stdin = createReadStream("", { fd: file, autoClose: false });
  const { status } = await runTool(command, signal, { timeout: wait * 1000 + GRACE, stdin });
  return status === 0;
}

/** The holder's own record. Only for a message: the kernel alone knows which process holds the lock. */
function readHolder(path: string): LockHolder | undefined {
  // Empty or half written: the holder is between taking the lock and recording itself.
  return LockHolder.safeParse(jsonIn(readFileSync(path, "utf8"))).data;
}
