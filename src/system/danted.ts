import { CommandError } from "./command.ts";
import type { Host } from "./host.ts";
import { ProblemError } from "../base/problem.ts";

const TIMEOUT = 30_000;

/** Checks that danted would accept that configuration. Starts no server. @throws ProblemError with file and line where danted names them */
export async function checkDantedConf(host: Host, file: string): Promise<void> {
  const args = ["-V", "-f", file];
  try {
    await host.run({ program: "danted", args, timeout: TIMEOUT, todo: `danted ${args.join(" ")}` });
  } catch (error) {
    if (!(error instanceof CommandError) || error.ending.kind !== "exited") throw error;
    throw parseDantedError(error.stderr, file) ?? error;
  }
}

/**
 * The first mistake that danted names, as `… error: FILE: problem on line 4 near token "x": words. Please see …`; `undefined` when it names
 * none. An interface without an address may get one later: that failure is retryable.
 */
export function parseDantedError(stderr: string, file: string): ProblemError | undefined {
  const [, addressless] = /warning: .*?(interface "[^"]*" has no usable IP-addresses configured)/.exec(stderr) ?? [];
  const [, words] = /error: (.*?)(?:\. {1,2}Please see the Dante manual.*)?$/m.exec(stderr) ?? [];
  if (words === undefined) return undefined;
  const [, line, found = words] = /problem on line (\d+)(?: near token)? (.*)$/.exec(words) ?? [];
  return new ProblemError(
    {
      code: "danted-conf-refused",
      what: "danted refuses its configuration; it keeps the present one",
      where: line === undefined ? { file } : { file, line: Number(line) },
      found: addressless ?? found,
      todo: `danted -V -f ${file}`,
    },
    { retryable: addressless !== undefined },
  );
}
