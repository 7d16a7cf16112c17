import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { ProblemError } from "../src/base/problem.ts";
import { GuestResetError, MachineTimeoutError, ShellError } from "./problems.ts";

export interface ShellResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as it came, for what is not text. */
  readonly bytes: Uint8Array;
}

export interface RunOptions {
  /** Milliseconds for the script; then it is stopped, by process group. Two minutes when absent. */
  readonly timeout?: number;
  /** Milliseconds until the guest's end of the shell must be there. Two minutes when absent. */
  readonly readyTimeout?: number;
}

const DEFAULT_TIMEOUT = 120_000;
/** How much longer than the script's own limit its answer may take: a loaded, emulated guest. */
const ANSWER_GRACE = 60_000;
/** timeout(1): the limit was reached, and SIGTERM or SIGKILL ended the script. */
const TIMED_OUT = [124, 137];

interface Pending {
  readonly marker: string;
  readonly resolve: (result: ShellResult) => void;
  readonly reject: (error: Error) => void;
}

/** A root shell in the guest, over a port of its machine: works without network, login, or a finished boot. */
export class LabShell {
  readonly #socket: Socket;
  readonly #over: AbortSignal;
  #last: Promise<unknown> = Promise.resolve();
  #pending: Pending | undefined;
  #ready = Promise.withResolvers<void>();
  /** Of the boot that has answered; undefined while the guest's end is not there. */
  #bootId: string | undefined;

  /**
   * @param socket leads to the guest's end
   * @param over aborted, with the reason, when the machine is no more
   */
  constructor(socket: Socket, over: AbortSignal) {
    this.#socket = socket;
    this.#over = over;
    this.#ready.promise.catch(() => {});
    // The machine's end says why; `over` carries that.
    socket.on("error", () => {});
    createInterface({ input: socket })
      .on("line", (line) => this.#onLine(line))
      .on("error", () => {});
    over.addEventListener("abort", () => {
      socket.destroy();
      const reason = asError(over.reason);
      this.#pending?.reject(reason);
      this.#ready.reject(reason);
    });
    socket.write("hello\n");
  }

  /** The guest's boot id, once its end of the shell has answered. */
  async bootId(options: RunOptions = {}): Promise<string> {
    await this.#untilReady(options.readyTimeout ?? DEFAULT_TIMEOUT);
    return this.#bootId ?? "";
  }

  /**
   * Runs a bash script as root in the guest. One at a time; further ones wait for their turn.
   *
   * @returns how it ended, whatever the status
   * @throws ShellError when it did not end in time, GuestResetError when the guest was reset meanwhile, and what ended the machine
   */
  run(script: string, options: RunOptions = {}): Promise<ShellResult> {
    const result = this.#last.then(() => this.#run(script, options));
    this.#last = result.catch(() => {});
    return result;
  }

  /** Runs a script that must succeed. @returns its standard output @throws ShellError with all that it said */
  async ok(script: string, options: RunOptions = {}): Promise<string> {
    const { status, stdout, stderr } = await this.run(script, options);
    if (status !== 0)
      throw new ShellError({
        code: "guest-script-failed",
        what: `a script in the guest failed with exit status ${status}`,
        found: transcript(script, stdout, stderr),
      });
    return stdout;
  }

  /** Runs a script that must succeed and print JSON. What is in it is for the caller to check. */
  async json(script: string, options: RunOptions = {}): Promise<unknown> {
    const stdout = await this.ok(script, options);
    try {
      return JSON.parse(stdout);
    } catch {
      throw new ShellError({
        code: "guest-script-not-json",
        what: "a script in the guest printed something else than JSON",
        found: transcript(script, stdout, ""),
      });
    }
  }

  /** The guest starts over: what ran is lost, and its end of the shell will say when it is there again. */
  onReset(): void {
    const error = new GuestResetError({ code: "guest-reset", what: "the guest was reset while a script ran in it" });
    this.#pending?.reject(error);
    // Who waits already goes on waiting for the same promise.
    if (this.#bootId === undefined || this.#over.aborted) return;
    this.#bootId = undefined;
    this.#ready = Promise.withResolvers<void>();
    this.#ready.promise.catch(() => {});
  }

  async #run(script: string, { timeout = DEFAULT_TIMEOUT, readyTimeout = DEFAULT_TIMEOUT }: RunOptions): Promise<ShellResult> {
    await this.#untilReady(readyTimeout);
    if (this.#over.aborted) throw asError(this.#over.reason);
    const marker = randomUUID();
    const { promise, resolve, reject } = Promise.withResolvers<ShellResult>();
    this.#pending = { marker, resolve, reject };
    this.#socket.write(`run ${marker} ${timeout / 1000} ${escaped(script)}\n`);
    const lost = new ShellError({
      code: "lab-shell-silent",
      what: "the lab shell did not answer",
      found: transcript(script, "", ""),
      todo: "inspect the serial log: the guest hangs",
    });
    const timer = setTimeout(() => reject(lost), timeout + ANSWER_GRACE);
    try {
      const result = await promise;
      if (!TIMED_OUT.includes(result.status)) return result;
      const found = transcript(script, result.stdout, result.stderr);
      throw new ShellError({ code: "guest-script-timed-out", what: `a script in the guest did not end within ${timeout / 1000} s`, found });
    } finally {
      clearTimeout(timer);
      this.#pending = undefined;
    }
  }

  async #untilReady(timeout: number): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const error = new MachineTimeoutError({
      code: "lab-shell-absent",
      what: `the lab shell was not there within ${timeout / 1000} s`,
      todo: "inspect the serial log: the guest did not reach systemd, or its systemd is older than 256",
    });
    const timer = setTimeout(() => reject(error), timeout);
    try {
      await Promise.race([this.#ready.promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #onLine(line: string): void {
    const [verb, marker = "", status = "", stdout = "", stderr = ""] = line.split(" ");
    if (verb === "ready") {
      this.#bootId = marker;
      this.#ready.resolve();
    } else if (verb === "done" && marker === this.#pending?.marker) {
      const bytes = decoded(stdout);
      this.#pending.resolve({ status: Number(status), stdout: bytes.toString("utf8"), stderr: decoded(stderr).toString("utf8"), bytes });
    }
    // Anything else answers a script that no one waits for any more.
  }
}

/** The script as one word that `printf %b` turns back: a builtin of bash, where base64 would be another process. */
function escaped(script: string): string {
  return [...Buffer.from(script)]
    .map((byte) => (/[\w./-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`))
    .join("");
}

/** `=` comes first, so that an empty field is a field. */
function decoded(field: string): Buffer {
  return Buffer.from(field.slice(1), "base64");
}

function transcript(script: string, stdout: string, stderr: string): string {
  return `\n--- script\n${script}\n--- stdout\n${stdout}\n--- stderr\n${stderr}`;
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new ProblemError({ code: "machine-ended", what: "the machine has ended" });
}
