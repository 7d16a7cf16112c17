import { ProblemError } from "../../base/problem.ts";

/** Milliseconds for one passphrase: no wait is without a limit. */
const TIME_LIMIT = 180_000;
/** More than any passphrase may have: longer input is refused, not held in memory. */
const MOST_BYTES = 4096;
const [CTRL_C, CTRL_D, BACKSPACE, CTRL_U, DELETE] = [0x03, 0x04, 0x08, 0x15, 0x7f];

/**
 * Reads standard input up to the end of the line: typed without echo at a terminal, or from a pipe or file. Never from an argument or the
 * environment: other processes see those.
 *
 * @param ask called with text to show at a terminal
 * @returns undefined when the person gave up (Ctrl-C, Ctrl-D), or the signal was aborted
 * @throws ProblemError for too much input, or none within three minutes
 */
export async function readPassphrase(
  ask: (question: string) => void,
  question: string,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const { stdin } = process;
  const typed = stdin.isTTY;
  const line: number[] = [];
  // In raw mode the terminal echoes nothing, and Ctrl-C is an ordinary byte.
  if (typed) stdin.setRawMode(true);
  if (typed) ask(question);
  const bound = AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT)]);
  try {
    return await new Promise<Uint8Array | undefined>((resolve, reject) => {
      const take = (chunk: Buffer): void => {
        for (const [index, byte] of chunk.entries()) {
          if (byte === 0x0a || (typed && byte === 0x0d)) {
            resolve(Uint8Array.from(line));
            // Text that was pasted behind it belongs to the next question. A stream that still flows would deliver it to this one.
            stdin.pause();
            stdin.off("data", take);
            if (index + 1 < chunk.length) stdin.unshift(chunk.subarray(index + 1));
            return;
          }
          if (typed && (byte === CTRL_C || byte === CTRL_D)) return resolve(undefined);
          if (typed && byte === CTRL_U) line.length = 0;
          else if (typed && (byte === BACKSPACE || byte === DELETE)) line.pop();
          else line.push(byte);
          if (line.length > MOST_BYTES)
            return reject(
              new ProblemError({ code: "passphrase-too-long", what: "this is too long for a passphrase; nothing was changed" }),
            );
        }
      };
      const late = (): void =>
        signal.aborted
          ? resolve(undefined)
          : reject(
              new ProblemError({ code: "passphrase-timed-out", what: `no passphrase within ${TIME_LIMIT / 1000} s; nothing was changed` }),
            );
      stdin.on("data", take);
      stdin.once("end", () => resolve(typed ? undefined : Uint8Array.from(line)));
      stdin.once("error", reject);
      // It is paused after the previous question.
      stdin.resume();
      if (bound.aborted) late();
      bound.addEventListener("abort", late, { once: true });
    });
  } finally {
    stdin.pause();
    for (const event of ["data", "end", "error"]) stdin.removeAllListeners(event);
    if (typed) {
      stdin.setRawMode(false);
      ask("\n");
    }
  }
}

/** Whether a person types it, and so may mistype. */
export function isTyped(): boolean {
  return process.stdin.isTTY;
}
