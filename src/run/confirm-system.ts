import { oneLine, type Problem } from "../base/problem.ts";
import { bootView } from "../boot/record/boot-view.ts";
import { parseRecord } from "../boot/record/read-record.ts";
import type { Slot } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { corruptedRoot, rootVerity } from "../system/disks/root-verity.ts";
import { decideAndWrite } from "../upgrade/apply-writes.ts";
import { decide, settleAll, written } from "../upgrade/decide.ts";
import { type Check, runHealthChecks } from "../upgrade/health.ts";
import { RefusedError } from "../upgrade/refusals.ts";
import { inspect } from "../upgrade/situation.ts";
import { missingTrialMark, setTrialMark } from "../upgrade/trial-mark.ts";
import { ExitError } from "./exit-error.ts";
import { requireConfiguration } from "./guards.ts";
import type { Setup } from "./setup.ts";

export interface Confirmed {
  readonly slot: Slot;
  /** False for a system that was stable already. */
  readonly changed: boolean;
  /** All passed. */
  readonly checks: readonly Check[];
}

/**
 * Confirms the running system, when it is on trial and healthy. On a stable system nothing is checked. Nothing durable is written either,
 * unless an earlier command was cut off. So the orchestrator may call this at any time.
 *
 * @param locked runs work under the lock of all work on the slots
 * @throws ExitError, RefusedError when it cannot be done now, a health check failed, or the configuration is broken: the trial then goes on
 */
export async function confirmSystem(
  host: Host,
  setup: Setup,
  locked: (work: () => Promise<unknown>) => Promise<unknown>,
): Promise<Confirmed> {
  const { layout } = setup;
  const confirm = async (): Promise<unknown> => locked(async () => decideAndWrite(host, layout, "confirm"));
  const { situation } = await inspect(host, layout);
  const slot = situation.running;
  const expected = decide("confirm", settleAll(situation).reduce(written, situation));
  if (expected.kind === "refused") throw new RefusedError("confirm", expected.refusal);
  if (expected.kind === "done") {
    // Completes a confirmation that was cut off between its two writes.
    if (settleAll(situation).length > 0) await confirm();
    // Another program may have made it stable.
    await endTrial(host, setup);
    return { slot, changed: false, checks: [] };
  }
  requireConfiguration(setup);
  const checks = [await bootCheck(host, setup), ...(await rootChecks(host)), ...(await runHealthChecks(host, layout.etc.healthChecks))];
  requireHealthy(slot, checks);
  // The checks took time, so the decision is made again.
  await confirm();
  await endTrial(host, setup);
  return { slot, changed: true, checks };
}

/** The service that restarts a machine on trial must know that the trial has ended. */
async function endTrial(host: Host, { layout }: Setup): Promise<void> {
  const mark = await missingTrialMark(host, layout, (await inspect(host, layout)).situation);
  if (mark !== undefined) await setTrialMark(host, layout, mark);
}

/** A failed boot is not healthy. A degraded one is: the node is usable. */
async function bootCheck(host: Host, { chain, layout }: Setup): Promise<Check> {
  const name = "boot record";
  const file = layout.runFiles.record;
  const text = await host.readText(file);
  const problem = (details: Problem): Check => ({
    name,
    problem: { ...details, where: { file }, expected: "all units to have run", todo: "guestos-boot status says what happened" },
  });
  if (text === undefined)
    return problem({ code: "boot-record-missing", what: "this boot has no record of the boot chain", found: "no such file" });
  const { runs } = parseRecord(text, file);
  const view = bootView(runs);
  if (view.outcome === "unfinished")
    return problem({ code: "boot-not-ended", what: "the boot chain has not ended", found: "a run without an end" });
  const missing = chain.filter((unit) => view.units.every((seen) => seen.name !== unit.name || seen.result === undefined));
  if (missing.length > 0) {
    const found = `no result of ${missing.map((unit) => unit.name).join(", ")}`;
    return problem({ code: "boot-not-whole", what: "not all of the boot chain has run", found });
  }
  if (view.outcome === "failed") {
    const failed = view.units.filter(({ result }) => result?.kind === "failed").map((unit) => unit.name);
    return problem({ code: "boot-failed", what: "the boot chain failed", found: failed.join(", ") });
  }
  return { name };
}

/**
 * A system of which a block does not match is left. Where GRUB started it, its kernel has panicked there. A host that boots the kernel itself
 * does not tell that of a trial: then a program has got an error in place of the block.
 *
 * @returns none for a root that is not verified
 */
async function rootChecks(host: Host): Promise<readonly Check[]> {
  const state = await rootVerity(host);
  if (state === "none") return [];
  return [{ name: "root", ...(state === "corrupted" ? { problem: corruptedRoot } : {}) }];
}

function requireHealthy(slot: string, checks: readonly Check[]): void {
  const failed = checks.flatMap(({ name, problem }): (readonly [string, Problem])[] => (problem === undefined ? [] : [[name, problem]]));
  if (failed.length === 0) return;
  throw new ExitError("unhealthy", {
    code: "health-checks-failed",
    what: `slot ${slot} is not confirmed: ${failed.length} of ${checks.length} health checks failed`,
    found: failed.map(([name, problem]) => `${name}: ${oneLine(problem)}`).join("; "),
    expected: "all to pass",
    todo: "repair what is wrong and confirm again, or go back to the other system: guestos-boot upgrade rollback",
  });
}
