import { closeSync, constants, createReadStream, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { CommandError, runTool } from "../command.ts";

/** The process that holds the lock, as it recorded itself. */
export interface LockHolder {
  readonly pid: number;
  /** The command line as typed. */
  readonly command: string;
  /** Wall-clock time, ISO 8601. */
  readonly since: string;
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
  try {
    const holder: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isHolder(holder) ? holder : undefined;
  } catch {
    // Empty or half written: the holder is between taking the lock and recording itself.
    return undefined;
  }
}

function isHolder(value: unknown): value is LockHolder {
  return (
    typeof value === "object" &&
    value !== null &&
    "pid" in value &&
    typeof value.pid === "number" &&
    "command" in value &&
    typeof value.command === "string" &&
    "since" in value &&
    typeof value.since === "string"
  );
}
