import { join } from "node:path";
import type { Host } from "../system/host.ts";
import { ProblemError, type Problem } from "../base/problem.ts";

/** The result of a health check. */
export interface Check {
  readonly name: string;
  /** Absent when it passed. */
  readonly problem?: Problem;
}

/** Milliseconds for each check: one that hangs has failed. */
const CHECK_TIMEOUT = 60_000;

/**
 * Runs the image's own health checks, one after the other in the order of their names: each executable in the folder, without arguments.
 * Exit status 0 is healthy. A file that is not executable (a README) is no check; a dangling link is a failed check.
 */
export async function runHealthChecks(host: Host, folder: string): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const name of (await host.list(folder)) ?? []) {
    const path = join(folder, name);
    const facts = await host.stat(path);
    const isCheck = facts?.kind === "link" || (facts?.kind === "file" && (facts.mode & 0o111) !== 0);
    if (name.startsWith(".") || !isCheck) continue;
    const problem = await failureOf(host, path);
    checks.push({ name, ...(problem === undefined ? {} : { problem }) });
  }
  return checks;
}

async function failureOf(host: Host, program: string): Promise<Problem | undefined> {
  try {
    await host.run({ program, args: [], timeout: CHECK_TIMEOUT });
    return undefined;
  } catch (error) {
    // When told to stop, the check has no result, neither good nor bad.
    if (error instanceof ProblemError && !host.signal.aborted) return error.problem;
    throw error;
  }
}
