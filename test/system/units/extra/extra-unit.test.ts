import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runUnits } from "../../../../src/boot/runner.ts";
import type { UnitResult } from "../../../../src/boot/record/record.ts";
import { systemHost } from "../../../../src/system/host.ts";
import { extraUnit, type ExtraUnitSpec } from "../../../../src/units/extra/extra-unit.ts";
import type { Machine } from "../../../../src/units/machine.ts";
import { namespaceRoot } from "../../../support/namespace.ts";
import { testMachine } from "../../../support/test-machine.ts";
import { runs } from "../../../support/running.ts";

const facts = { bootId: "boot", version: "1", slot: "A", pid: process.pid, stage: undefined } as const;

/** Runs it as the boot does. @param script what follows `#!/bin/bash` */
async function ended(script: string, more: Partial<ExtraUnitSpec> = {}): Promise<UnitResult | undefined> {
  const executable = join(namespaceRoot(), "extra");
  writeFileSync(executable, `#!/bin/bash\n${script}\n`);
  chmodSync(executable, 0o755);
  const unit = extraUnit({
    ...{ name: "extra", title: "Extra", executable, stage: "late", requires: [], after: [], owns: [], timeout: 60, onFailure: "degrade" },
    ...more,
  });
  const { results } = await runUnits<Machine>([unit], {
    machine: (scope) => testMachine(systemHost(scope)),
    facts,
    sink: () => undefined,
    signal: new AbortController().signal,
  });
  return results.get("extra");
}

/** @param command is run for a plan alone */
const planning = (command: string): string => `[[ $1 != plan ]] || ${command}`;
/** @param command is run for an action, which never is not to be done */
const acting = (command: string): string =>
  `case $1 in plan) echo '{"actions":[{"id":"a","description":"do a"}]}' ;; *) ${command} ;; esac`;

test.each<readonly [string, string, string, string, Partial<ExtraUnitSpec>]>([
  ["says that something is in the way", planning(`echo '{"conflict":{"what":"a thing","found":"x"}}'`), "a thing", "x", {}],
  ["cannot inspect", planning("{ echo 'no such luck' >&2; exit 3; }"), "plan: failed with exit status 3", "no such luck", {}],
  ["answers, and yet fails", planning(`{ echo '{"nothing":true}'; exit 1; }`), "plan: failed with exit status 1", "", {}],
  ["prints no JSON", planning("echo done"), "its plan is not usable", '"done"', {}],
  ["prints nothing", planning("true"), "its plan is not usable", "no output", {}],
  ["prints something else", planning(`echo '{"actions":[{"id":"a"}]}'`), "its plan is not usable", 'actions.0.description: "nothing"', {}],
  ["prints without an end", planning("yes '{}'"), "plan: was ended by SIGTERM", "wrote more than 64 KiB", {}],
  ["never ends", planning("sleep 61.5"), "did not end within 1 s", "what is there", { timeout: 1 }],
  ["never ends, though it has time", planning("sleep 61.5"), "plan: did not end within 10 s", "", { timeout: 40 }],
  ["cannot act", acting('echo "not $2" >&2; exit 1'), "apply a: failed with exit status 1", "not a", {}],
  ["never ends to act", acting("trap '' TERM; sleep 61.5 & sleep 61.5"), "did not end within 1 s", "do a", { timeout: 1 }],
  ["is never satisfied", acting("true"), "did not converge", "do a", {}],
])("one that %s fails, and nothing of it is left running", async (_, script, what, found, more) => {
  const result = await ended(script, more);
  expect(result).toMatchObject({ kind: "degraded", problem: { what: expect.stringContaining(what) } });
  expect(result?.kind === "degraded" ? (result.problem.found ?? "") : "").toContain(found);
  expect(runs("61.5")).toBe(false);
});

test("with onFailure: stop its failure is the boot's", async () => {
  expect(await ended("exit 1", { onFailure: "stop" })).toMatchObject({ kind: "failed" });
});

test("what it does counts as it says", async () => {
  const once = (effect: string): string =>
    `case $1 in plan) if [[ -e \${0%/*}/done ]]; then echo '{"nothing":true}'; else echo '{"actions":[{"id":"a","description":"do a"${effect}}]}'; fi ;; *) touch \${0%/*}/done ;; esac`;
  expect(await ended(once(""))).toEqual({ kind: "changed", provisioned: ["do a"], activated: [] });
  expect(await ended(once(',"effect":"activate"'))).toEqual({ kind: "unchanged", activated: ["do a"] });
});
