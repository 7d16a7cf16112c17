import type { ReadStream } from "node:fs";
import { deadlineIn, pause, systemClock } from "../base/clock.ts";
import { foreignText } from "../base/foreign-words.ts";
import { type Problem, ProblemError } from "../base/problem.ts";
import { Secret } from "../base/secret.ts";
import type { Ending } from "./ending.ts";

/** A tool run as data: never a shell, never a joined string. */
export interface Command {
  readonly program: string;
  /** Arguments. Every process on the machine sees them (ps), so never a secret. */
  readonly args: readonly string[];
  /** Standard input: the only way to pass a secret to a tool. Closed at once when absent. */
  readonly input?: string | Uint8Array | Secret;
  /** Exit statuses that are an answer and not a failure. The default is 0 alone. */
  readonly okStatuses?: readonly number[];
  /** Milliseconds until the tool is stopped; the default is two minutes. No tool runs without a limit. */
  readonly timeout?: number;
  /** Added to the allow-listed environment. Never a secret: /proc shows it. */
  readonly env?: Readonly<Record<string, string>>;
  /** The most bytes of output that are accepted; the default is 8 MiB. */
  readonly maxOutput?: number;
  /** The folder to run it in; the default is this program's own. */
  readonly cwd?: string;
  /** What the operator can do when it fails. */
  readonly todo?: string;
  /** Selects the part of standard error that may be kept, where the rest may be confidential. The default keeps all of it. */
  readonly keptWords?: (stderr: string) => string;
}

export interface Completed {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Thrown for every ending that the command does not declare acceptable. */
export class CommandError extends ProblemError {
  readonly command: Command;
  readonly ending: Ending;
  readonly stderr: string;

  constructor(command: Command, ending: Ending, stderr: string, options: { readonly retryable?: boolean } = {}) {
    const words = lastLines(stderr, 3);
    const { code, what } = endingWords(ending);
    super(
      {
        code,
        what: `${commandText(command)}: ${what}`,
        ...(words === "" ? {} : { found: words }),
        ...(command.todo === undefined ? {} : { todo: command.todo }),
      },
      options,
    );
    this.command = command;
    this.ending = ending;
    this.stderr = foreignText(stderr);
  }

  /** The same failure, marked as one that a retry may cure. */
  asRetryable(): CommandError {
    return new CommandError(this.command, this.ending, this.stderr, { retryable: true });
  }
}

const DEFAULT_TIMEOUT = 120_000;
/** From SIGTERM to SIGKILL, in milliseconds. Together with the time to end, it stays below the 5 s in which the runner promises to end. */
const KILL_DELAY = 2_000;
/** Milliseconds between two checks whether a stopped process group has ended: the kernel has no event for that. */
const GROUP_POLL = 20;
/** For how many milliseconds output is read after the tool itself has ended. */
const PIPE_DELAY = 1_000;
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** More output than this is a defect of the tool, and must not fill the memory of a booting node. */
const MAX_OUTPUT = 8 * 1024 * 1024;

/** Options that some of our own ways of running a tool need (src/system/processes). */
export interface ToolOptions {
  /** Milliseconds until it is stopped; `undefined` for a tool that runs as long as we do. */
  readonly timeout: number | undefined;
  /** Milliseconds from SIGTERM to SIGKILL. */
  readonly killDelay?: number;
  /** Called whenever the tool writes to standard output. That output is not kept then. */
  readonly wrote?: () => void;
  /** Where its standard error goes: into the answer, nowhere, or to our own. */
  readonly stderr?: "pipe" | "ignore" | "inherit";
  /** An open file of ours that becomes its standard input. */
  readonly stdin?: ReadStream;
}

/** The fields of execa's result that are used. */
interface ToolResult {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  /** The code of the error that kept it from starting. */
  readonly code?: string | undefined;
  readonly originalMessage?: string | undefined;
  /** It wrote more than the limit and was stopped. */
  readonly isMaxBuffer: boolean;
  readonly stdout?: string | undefined;
  readonly stderr?: string | undefined;
}

/** Runs a tool until it ends or its time is up. @throws CommandError for every ending other than an exit status in `okStatuses` */
export async function runCommand(command: Command, signal: AbortSignal): Promise<Completed> {
  return runTool(command, signal, { timeout: command.timeout ?? DEFAULT_TIMEOUT });
}

/**
 * Runs a tool. The only place in the program that starts one.
 *
 * The tool gets its own process group, so that stopping it also stops its children: SIGTERM first, SIGKILL two seconds later. `LC_ALL=C`
 * gives its messages the wording that parsers and operators know.
 *
 * @throws CommandError as `runCommand` does
 */
export async function runTool(command: Command, signal: AbortSignal, options: ToolOptions): Promise<Completed> {
  const { timeout, killDelay = KILL_DELAY, wrote, stderr = "pipe", stdin = "ignore" } = options;
  const { cwd, maxOutput = MAX_OUTPUT } = command;
  const input = command.input instanceof Secret ? command.input.expose() : command.input;
  // Loaded when the first tool runs.
  const { execa } = await import("execa");
  if (signal.aborted) throw new CommandError(command, { kind: "cancelled" }, "");
  // Does not reject when a tool cannot be started: that is one of its endings.
  const tool = execa(command.program, command.args, {
    detached: true,
    cleanup: false,
    reject: false,
    stripFinalNewline: false,
    extendEnv: false,
    buffer: { stdout: wrote === undefined },
    maxBuffer: maxOutput,
    stderr,
    env: { PATH, LC_ALL: "C", ...command.env },
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? { stdin } : { input }),
  });
  if (wrote !== undefined) tool.stdout?.on("data", wrote);
  let stopped: Ending | undefined;
  let untilKill = deadlineIn(Infinity);
  let killTimer: NodeJS.Timeout | undefined;
  const stop = (ending: Ending): void => {
    if (stopped !== undefined || tool.pid === undefined) return;
    stopped = ending;
    untilKill = deadlineIn(killDelay);
    signalGroup(tool.pid, "SIGTERM");
    killTimer = setTimeout(() => signalGroup(tool.pid, "SIGKILL"), killDelay);
  };
  const timer = timeout === undefined ? undefined : setTimeout(() => stop({ kind: "timed-out", after: timeout }), timeout);
  const onAbort = (): void => stop({ kind: "cancelled" });
  signal.addEventListener("abort", onAbort, { once: true });
  let pipeTimer: NodeJS.Timeout | undefined;
  tool.nodeChildProcess.once("exit", () => {
    // A process that the tool left running, in a session of its own, may hold its output open permanently, out of reach of the signal.
    pipeTimer = setTimeout(() => [tool.stdout, tool.stderr].forEach((pipe) => pipe?.destroy()), PIPE_DELAY);
  });
  try {
    const result: ToolResult = await tool;
    const words = foreignText((command.keptWords ?? ((all) => all))(result.stderr ?? ""));
    // Truncated output is not an answer, whatever the exit status.
    if (result.isMaxBuffer) stop({ kind: "signalled", signal: "SIGTERM" });
    if (stopped !== undefined) await groupEnded(tool.pid, untilKill);
    const ending = stopped ?? endingOf(result);
    if (ending.kind === "exited" && (command.okStatuses ?? [0]).includes(ending.status)) {
      return { status: ending.status, stdout: result.stdout ?? "", stderr: words };
    }
    const flood = result.isMaxBuffer ? `\nstopped, because it wrote more than ${maxOutput / 1024} KiB` : "";
    throw new CommandError(command, ending, `${words}${flood}`);
  } finally {
    clearTimeout(timer);
    clearTimeout(killTimer);
    clearTimeout(pipeTimer);
    signal.removeEventListener("abort", onAbort);
  }
}

function endingOf(result: ToolResult): Ending {
  if (result.exitCode !== undefined) return { kind: "exited", status: result.exitCode };
  if (result.signal !== undefined) return { kind: "signalled", signal: result.signal };
  if (result.code === "ENOENT") return { kind: "not-found" };
  return { kind: "not-started", reason: foreignText(result.originalMessage ?? result.code ?? "unknown reason") };
}

/** @returns whether any process was left to signal */
function signalGroup(pid: number | undefined, name: NodeJS.Signals | 0): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(-pid, name);
  } catch (error) {
    // ESRCH: the group has ended between the decision and the signal, which is the aim.
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}

/**
 * Resolves when the whole group has ended. Its members may take longer than their leader to react to SIGTERM; when no time is left, they are killed.
 */
async function groupEnded(pid: number | undefined, untilKill: () => number): Promise<void> {
  while (signalGroup(pid, 0)) {
    if (untilKill() === 0) return void signalGroup(pid, "SIGKILL");
    await pause(systemClock, GROUP_POLL);
  }
}

/** The command as an operator would type it, without its input. */
export function commandText(command: Command): string {
  return [command.program, ...command.args]
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");
}

export function endingText(ending: Ending): string {
  return endingWords(ending).what;
}

function endingWords(ending: Ending): Pick<Problem, "code" | "what"> {
  switch (ending.kind) {
    case "exited":
      return { code: "tool-failed", what: `failed with exit status ${ending.status}` };
    case "signalled":
      return { code: "tool-killed", what: `was ended by ${ending.signal}` };
    case "timed-out":
      return { code: "tool-timed-out", what: `did not end within ${ending.after / 1000} s and was stopped` };
    case "cancelled":
      return { code: "tool-stopped", what: "was stopped because the unit was" };
    case "not-found":
      return { code: "tool-not-found", what: "is not installed" };
    case "not-started":
      return { code: "tool-not-started", what: `could not be started: ${ending.reason}` };
  }
}

/** The last lines of a tool's output, joined into one line. */
export function lastLines(text: string, count: number): string {
  return foreignText(text)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .slice(-count)
    .join(" / ");
}
