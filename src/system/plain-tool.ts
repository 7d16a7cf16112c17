import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { RunningTool, StartTool, ToolOptions, ToolResult } from "./command.ts";
import { foreignWords } from "../base/foreign-words.ts";

/**
 * Starts a tool with what Node itself has. For the monitor's own process, which stays for as long as the node runs: execa would take 10 MiB
 * of its memory (docs/monitor.md).
 */
export const startPlainly: StartTool = (program, args, options) => {
  try {
    return running(spawnTool(program, args, options), options);
  } catch (error) {
    // Most errors are an event of the child; that there are too many arguments is thrown.
    const originalMessage = foreignWords(error);
    return {
      pid: undefined,
      onExit: () => undefined,
      stopReading: () => undefined,
      ended: Promise.resolve({ originalMessage, isMaxBuffer: false }),
    };
  }
};

function spawnTool(program: string, args: readonly string[], { env, cwd, input }: ToolOptions): ChildProcess {
  return spawn(program, args, {
    detached: true,
    env,
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd }),
  });
}

function running(child: ChildProcess, { input, maxOutput }: ToolOptions): RunningTool {
  // A tool that ends without reading its input says by its exit status why.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  let isMaxBuffer = false;
  const flood = (): void => {
    isMaxBuffer = true;
    child.kill();
  };
  // Without descriptors left, a child has none of its pipes.
  const [stdout, stderr] = [child.stdout, child.stderr].map((pipe) => gather(pipe, maxOutput, flood));
  const ended = new Promise<ToolResult>((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => resolve({ code: error.code, originalMessage: foreignWords(error), isMaxBuffer }));
    child.once("close", (status, signal) =>
      resolve({ exitCode: status ?? undefined, signal: signal ?? undefined, isMaxBuffer, stdout: stdout?.(), stderr: stderr?.() }),
    );
  });
  return {
    pid: child.pid,
    onExit: (then) => void child.once("exit", then),
    stopReading: () => [child.stdout, child.stderr].forEach((pipe) => pipe?.destroy()),
    ended,
  };
}

/** @returns what has been read so far */
function gather(pipe: Readable | null, maxBytes: number, flood: () => void): () => string {
  const chunks: Uint8Array[] = [];
  let length = 0;
  pipe?.on("data", (chunk: Uint8Array) => {
    length += chunk.length;
    if (length <= maxBytes) return void chunks.push(chunk);
    pipe.destroy();
    return flood();
  });
  // That reading was given up is told by how the tool ended.
  pipe?.on("error", () => undefined);
  return () => Buffer.concat(chunks).toString();
}
