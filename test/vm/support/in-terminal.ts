import { spawn } from "node:child_process";
import type { Writable } from "node:stream";

/** A command at a terminal of its own, as a person has one. */
export interface InTerminal extends AsyncDisposable {
  /** What is typed. */
  readonly keys: Writable;
  /** All that the terminal has shown so far. */
  readonly shown: () => string;
  /** The command's status; null when it was killed. */
  readonly ended: Promise<number | null>;
}

/** Starts the command by a shell, as it is in a document. Killed where it has not ended when it is disposed of. */
export function inTerminal(command: string): InTerminal {
  const child = spawn("script", ["--quiet", "--flush", "--return", "--command", command, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  child.stdout.on("data", (chunk) => (shown += String(chunk)));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return {
    keys: child.stdin,
    shown: () => shown,
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
