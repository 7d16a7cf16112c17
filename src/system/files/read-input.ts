import { ProblemError } from "../../base/problem.ts";

export interface InputLimits {
  /** Bytes. */
  readonly most: number;
  /** Milliseconds for all of it. */
  readonly patience: number;
  readonly signal: AbortSignal;
}

/**
 * All of standard input.
 *
 * @throws ProblemError when there is more than `most`, or it does not end in time; an Error when the signal is aborted
 */
export async function readInput({ most, patience, signal }: InputLimits): Promise<Uint8Array> {
  const { stdin } = process;
  const late = AbortSignal.timeout(patience);
  const bound = AbortSignal.any([signal, late]);
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => reject(late.aborted ? unfinished(patience) : new Error("stopped"));
      if (bound.aborted) return stop();
      bound.addEventListener("abort", stop, { once: true });
      stdin.on("data", (piece: Buffer) => {
        bytes += piece.length;
        pieces.push(piece);
        if (bytes > most) reject(tooMuch(most));
      });
      stdin.once("end", resolve);
      stdin.once("error", reject);
    });
    return Buffer.concat(pieces);
  } finally {
    stdin.pause();
    for (const event of ["data", "end", "error"]) stdin.removeAllListeners(event);
  }
}

function tooMuch(most: number): ProblemError {
  return new ProblemError({
    code: "input-too-long",
    what: "standard input is too long; nothing was changed",
    found: `more than ${most} bytes`,
    expected: `at most ${most} bytes`,
  });
}

function unfinished(patience: number): ProblemError {
  return new ProblemError({
    code: "input-timed-out",
    what: `standard input did not end within ${patience / 1000} s; nothing was changed`,
    todo: "close it once all is written",
  });
}
