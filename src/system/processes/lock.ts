import { spawn } from "node:child_process";
import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { foreignWords } from "../../base/foreign-words.ts";
import { ProblemError } from "../../base/problem.ts";

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
/** The number under which the helper sees the file. */
const HELPER_FD = 3;

/**
 * Takes an exclusive kernel lock that dies with this process, however that dies.
 *
 * flock(2): the lock belongs to the open file description, not to a process. So flock(1), given our descriptor, locks
 * on our behalf and ends, and the lock stays until our last copy is closed: by `release`, or by the kernel when we are
 * gone. Tools that we start do not get a copy, because Node opens files close-on-exec.
 *
 * @param path the lock file, made when absent; its folder must exist
 * @throws ProblemError when the file cannot be opened, or flock(1) cannot be run
 */
export async function takeLock(path: string, request: LockRequest): Promise<LockAttempt> {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  let kept = false;
  try {
    const status = await runFlock(file, request);
    if (status === "cancelled") return { kind: "cancelled" };
    if (status === CONFLICT) return { kind: "held", holder: readHolder(path) };
    if (status !== 0) throw new ProblemError({ code: "lock-failed", what: `cannot lock ${path}`, found: `flock ended with ${status}` });
    ftruncateSync(file);
    writeSync(file, `${JSON.stringify(request.holder)}\n`, 0);
    kept = true;
    return { kind: "taken", release: () => closeSync(file) };
  } finally {
    if (!kept) closeSync(file);
  }
}

function runFlock(file: number, { wait, signal }: LockRequest): Promise<number | string> {
  const patience = wait === 0 ? ["--nonblock"] : ["--timeout", String(wait)];
  return new Promise((resolve, reject) => {
    if (signal.aborted) return resolve("cancelled");
    const helper = spawn("flock", [...patience, "--conflict-exit-code", String(CONFLICT), String(HELPER_FD)], {
      stdio: ["ignore", "ignore", "ignore", file],
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    });
    const stop = (): void => void helper.kill();
    signal.addEventListener("abort", stop, { once: true });
    helper.once("error", (error) => {
      signal.removeEventListener("abort", stop);
      reject(
        new ProblemError(
          { code: "flock-not-run", what: "cannot run flock", found: foreignWords(error), todo: "install util-linux" },
          { cause: error },
        ),
      );
    });
    helper.once("close", (status, name) => {
      signal.removeEventListener("abort", stop);
      resolve(signal.aborted ? "cancelled" : (status ?? `signal ${name}`));
    });
    return undefined;
  });
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
