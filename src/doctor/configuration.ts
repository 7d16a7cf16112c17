import type { Problem } from "../system/problem.ts";
import { type Check, wrong } from "./check.ts";

const seen = "guestos-boot verify";

/** What of /etc/guestos-boot could not be used: the boot went on without it. */
export function configurationCheck(problems: readonly Problem[]): Check {
  return {
    name: "configuration",
    title: "what /etc/guestos-boot says can be used",
    seen,
    within: 1_000,
    look: async () => ({ fact: "all of it", findings: problems.map((problem) => wrong(seen, problem)) }),
  };
}
