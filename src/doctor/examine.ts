import { ProblemError } from "../base/problem.ts";
import { type Check, couldNotInspect, type Finding, type Level, type CheckedNode } from "./check.ts";

/** The result of a check. */
export interface Examined {
  readonly name: string;
  readonly title: string;
  readonly outcome: "fine" | Level;
  /** Absent where something is wrong, or unknown. */
  readonly fact?: string;
  readonly findings: readonly Finding[];
}

/** Worst first. */
export const levels = ["wrong", "unknown", "notice"] as const satisfies readonly Level[];

/**
 * Makes the checks one after the other, so that the time limit of each covers only its own work, even on an overloaded machine. A check
 * that fails or hangs does not affect the others.
 *
 * @returns when the signal is aborted, only those that were made by then
 */
export async function examine(checks: readonly Check[], node: CheckedNode, signal: AbortSignal): Promise<readonly Examined[]> {
  const examined: Examined[] = [];
  const units = new Set(node.chain.map(({ name }) => name));
  for (const check of checks) {
    if (signal.aborted) break;
    if (!(check.about ?? []).every((name) => units.has(name))) continue;
    examined.push(await examineOne(check, node, signal));
  }
  return examined;
}

async function examineOne(check: Check, node: CheckedNode, signal: AbortSignal): Promise<Examined> {
  const { name, title, seen, within = 30_000 } = check;
  const ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  try {
    const { fact, findings } = await Promise.race([
      check.inspect(node, node.hostFor({ signal: AbortSignal.any([signal, ending.signal]) })),
      // Not AbortSignal.timeout: its timer does not keep the process alive during the wait.
      new Promise<never>((_, reject) => {
        const end = (): void =>
          reject(new ProblemError({ code: "check-timed-out", what: `the check "${name}" did not end within ${within / 1000} s` }));
        timer = setTimeout(end, within);
        if (signal.aborted) end();
        signal.addEventListener("abort", end, { once: true, signal: ending.signal });
      }),
    ]);
    const outcome = worst(findings);
    return { name, title, outcome, ...(isWell(outcome) ? { fact } : {}), findings };
  } catch (error) {
    return { name, title, outcome: "unknown", findings: couldNotInspect(seen, error) };
  } finally {
    clearTimeout(timer);
    // Stops any work that the check left behind.
    ending.abort();
  }
}

function worst(findings: readonly Finding[]): "fine" | Level {
  return levels.find((level) => findings.some((finding) => finding.level === level)) ?? "fine";
}

/** True when every check could be made, and nothing is wrong. */
export function isSound(examined: readonly Examined[]): boolean {
  return examined.every(({ outcome }) => isWell(outcome));
}

function isWell(outcome: Examined["outcome"]): boolean {
  return outcome === "fine" || outcome === "notice";
}
