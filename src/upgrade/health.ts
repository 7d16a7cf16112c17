import { join } from "node:path";
import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { ProblemError, type Problem } from "../base/problem.ts";

/** The result of a health check. */
export interface Check {
  readonly name: string;
  /** Absent when it passed. */
  readonly problem?: Problem;
}

/** A health check of the program's own. */
export interface HealthCheck {
  readonly name: string;
  /** @returns the problem, or `undefined` when all is well. @throws ProblemError when that cannot be found out: the check has failed then */
  readonly inspect: (host: Host, layout: Layout) => Promise<Problem | undefined>;
}

/** Makes these checks, one after the other. */
export async function runOwnChecks(host: Host, layout: Layout, checks: readonly HealthCheck[]): Promise<readonly Check[]> {
  const made: Check[] = [];
  for (const { name, inspect } of checks) made.push(checkOf(name, await problemIn(host, async () => inspect(host, layout))));
  return made;
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
    checks.push(
      checkOf(name, await problemIn(host, async () => void (await host.run({ program: path, args: [], timeout: CHECK_TIMEOUT })))),
    );
  }
  return checks;
}

function checkOf(name: string, problem: Problem | undefined): Check {
  return { name, ...(problem === undefined ? {} : { problem }) };
}

async function problemIn(host: Host, inspect: () => Promise<Problem | undefined | void>): Promise<Problem | undefined> {
  try {
    return (await inspect()) ?? undefined;
  } catch (error) {
    // When told to stop, the check has no result, neither good nor bad.
    if (error instanceof ProblemError && !host.signal.aborted) return error.problem;
    throw error;
  }
}
