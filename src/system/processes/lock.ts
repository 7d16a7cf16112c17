import { closeSync, constants, createReadStream, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { CommandError, runTool } from "../command.ts";

/** Who holds the lock, as that process wrote it down. */
export interface LockHolder {
  readonly pid: number;
  /** The command line as typed. */
  readonly command: string;
  /** Wall-clock time, ISO 8601. */
  readonly since: string;
}

export type LockAttempt =
  | { readonly kind: "taken"; readonly release: () => void }
  /** `holder` is absent when it has not yet said who it is. */
  | { readonly kind: "held"; readonly holder: LockHolder | undefined }
  /** The signal was aborted while waiting. */
  | { readonly kind: "cancelled" };

export interface LockRequest {
  /** Seconds to wait for it; 0 for not at all. */
  readonly wait: number;
  readonly holder: LockHolder;
  readonly signal: AbortSignal;
}

/** EX_TEMPFAIL of sysexits.h: a status that flock(1) itself does not use. */
const CONFLICT = 75;
/** Milliseconds beyond the time that flock(1) itself waits. */
const GRACE = 30_000;

/**
 * Takes an exclusive kernel lock that dies with this process, however that dies.
 *
 * flock(2): the lock belongs to the open file description, not to a process. So flock(1), given our descriptor as its standard input,
 * locks on our behalf and ends, and the lock stays until our last copy is closed: by `release`, or by the kernel when we are
 * gone. Tools that we start do not get a copy, because Node opens files close-on-exec.
 *
 * @param path the lock file, made when absent; its folder must exist
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

/** Whether it is locked for us now. */
async function isFree(file: number, { wait, signal }: LockRequest): Promise<boolean> {
  const patience = wait === 0 ? ["--nonblock"] : ["--timeout", String(wait)];
  const args = [...patience, "--conflict-exit-code", String(CONFLICT), "0"];
  const command = { program: "flock", args, okStatuses: [0, CONFLICT], todo: "install util-linux" };
  const stdin = createReadStream("", { fd: file, autoClose: false });
  const { status } = await runTool(command, signal, { timeout: wait * 1000 + GRACE, stdin });
  return status === 0;
}

/** What the holder wrote down. Only for a message: who holds the lock is the kernel's knowledge alone. */
function readHolder(path: string): LockHolder | undefined {
  try {
    const holder: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isHolder(holder) ? holder : undefined;
  } catch {
    // Empty or half written: the holder is between taking the lock and writing its name.
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
