import { type Clock, pause } from "../base/clock.ts";
import { oneLine, type Problem, toProblem } from "../base/problem.ts";
import { bootView } from "../boot/record/boot-view.ts";
import { parseRecord } from "../boot/record/read-record.ts";
import type { Slot } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { corruptedRoot, rootVerity } from "../system/disks/root-verity.ts";
import { decideAndWrite } from "../upgrade/apply-writes.ts";
import { decide, settleAll, written } from "../upgrade/decide.ts";
import { type Check, runHealthChecks, runOwnChecks } from "../upgrade/health.ts";
import { afterLook, complaintOf, isHealthy, nextStep, type Patience, SETTLED } from "../upgrade/patience.ts";
import { RefusedError } from "../upgrade/refusals.ts";
import { inspect } from "../upgrade/situation.ts";
import { readSlotRecord } from "../upgrade/slot-state.ts";
import { writeComplaint } from "../upgrade/trial-complaint.ts";
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

/** Runs work under the lock of all work on the slots. */
type Locked = (work: () => Promise<unknown>) => Promise<unknown>;

/**
 * Confirms the running system, when it is on trial and healthy. On a stable system nothing is checked. Nothing durable is written either,
 * unless an earlier command was cut off. So the orchestrator may call this at any time.
 *
 * @throws ExitError, RefusedError when it cannot be done now, a health check failed, or the configuration is broken: the trial then goes on
 */
export async function confirmSystem(host: Host, setup: Setup, locked: Locked): Promise<Confirmed> {
  const standing = await standingOf(host, setup, locked);
  if (!standing.onTrial) return stable(standing);
  const checks = await healthOf(host, setup);
  if (!isHealthy(checks)) throw unhealthy(standing.slot, checks);
  return keep(host, setup, locked, { slot: standing.slot, checks });
}

/** Milliseconds between two looks. */
const LOOK_AGAIN = 5_000;

export interface Waiting {
  /** Seconds for which a system that is not healthy is waited for. */
  readonly lasts: number;
  readonly clock: Clock;
  readonly say: (line: string) => void;
}

/**
 * Confirms the running system once it has been healthy for a minute. What it lacked is kept for the system that the machine goes back to.
 *
 * @throws ExitError, RefusedError as `confirmSystem` does: where a health check failed, when the time was up
 */
export async function confirmOnceHealthy(host: Host, setup: Setup, locked: Locked, { lasts, clock, say }: Waiting): Promise<Confirmed> {
  let patience: Patience = { from: clock.now(), lasts };
  let complaint: string | undefined;
  for (;;) {
    // Someone else may have confirmed it, or given it up.
    const standing = await standingOf(host, setup, locked);
    if (!standing.onTrial) return stable(standing);
    const { slot } = standing;
    const checks = await healthOf(host, setup);
    patience = afterLook(patience, checks, clock.now());
    if (complaintOf(checks) !== complaint) {
      complaint = complaintOf(checks);
      say(isHealthy(checks) ? `healthy: it is confirmed if it stays so for ${SETTLED} s` : `not confirmed yet: ${failuresText(checks)}`);
      if (!isHealthy(checks)) await keepComplaint(host, setup, locked, { slot, checks }, say);
    }
    const step = nextStep(patience, clock.now());
    if (step.kind === "confirm") return keep(host, setup, locked, { slot, checks });
    if (step.kind === "give up") throw unhealthy(slot, checks);
    if (!(await pause(clock, LOOK_AGAIN, host.signal))) host.signal.throwIfAborted();
  }
}

interface Standing {
  readonly slot: Slot;
  readonly onTrial: boolean;
}

interface Examined {
  readonly slot: Slot;
  readonly checks: readonly Check[];
}

/** @throws RefusedError when there is nothing that could be confirmed */
async function standingOf(host: Host, setup: Setup, locked: Locked): Promise<Standing> {
  const { layout } = setup;
  const { situation } = await inspect(host, layout);
  const slot = situation.running;
  const expected = decide("confirm", settleAll(situation).reduce(written, situation));
  if (expected.kind === "refused") throw new RefusedError("confirm", expected.refusal);
  if (expected.kind === "do") return { slot, onTrial: true };
  // Completes a confirmation that was cut off between its two writes.
  if (settleAll(situation).length > 0) await locked(async () => decideAndWrite(host, layout, "confirm"));
  // Another program may have made it stable.
  await endTrial(host, setup);
  return { slot, onTrial: false };
}

function stable({ slot }: Standing): Confirmed {
  return { slot, changed: false, checks: [] };
}

async function healthOf(host: Host, setup: Setup): Promise<readonly Check[]> {
  const { layout, health } = setup;
  requireConfiguration(setup);
  return [
    await bootCheck(host, setup),
    ...(await rootChecks(host)),
    ...(await runOwnChecks(host, layout, await health())),
    ...(await runHealthChecks(host, layout.etc.healthChecks)),
  ];
}

/** The checks took time, so the decision is made again. */
async function keep(host: Host, setup: Setup, locked: Locked, { slot, checks }: Examined): Promise<Confirmed> {
  await locked(async () => decideAndWrite(host, setup.layout, "confirm"));
  await endTrial(host, setup);
  return { slot, changed: true, checks };
}

/** It is for people alone: the trial goes on without it. */
async function keepComplaint(
  host: Host,
  { layout }: Setup,
  locked: Locked,
  { slot, checks }: Examined,
  say: Waiting["say"],
): Promise<void> {
  try {
    await locked(async () => writeComplaint(host, layout, await readSlotRecord(host, layout, slot), failuresText(checks)));
  } catch (error) {
    host.signal.throwIfAborted();
    say(`this could not be kept for the other system: ${oneLine(toProblem(error))}`);
  }
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

function unhealthy(slot: Slot, checks: readonly Check[]): ExitError {
  const failed = checks.filter(({ problem }) => problem !== undefined);
  return new ExitError("unhealthy", {
    code: "health-checks-failed",
    what: `slot ${slot} is not confirmed: ${failed.length} of ${checks.length} health checks failed`,
    found: failuresText(checks),
    expected: "all to pass",
    todo: "repair what is wrong and confirm again, or go back to the other system: guestos-boot upgrade rollback",
  });
}

function failuresText(checks: readonly Check[]): string {
  return checks.flatMap(({ name, problem }) => (problem === undefined ? [] : `${name}: ${oneLine(problem)}`)).join("; ");
}
