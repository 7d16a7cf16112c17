import { ProblemError } from "../../base/problem.ts";
import { standardInput } from "./byte-source.ts";

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
  const late = AbortSignal.timeout(patience);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of standardInput(AbortSignal.any([signal, late])).chunks) {
      bytes += piece.length;
      if (bytes > most) throw tooMuch(most);
      // Its memory is used again for the next one.
      pieces.push(Uint8Array.from(piece));
    }
  } catch (error) {
    throw late.aborted && !signal.aborted ? unfinished(patience) : error;
  }
  return Buffer.concat(pieces);
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
