import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { type Problem, ProblemError } from "../../../src/base/problem.ts";
import { profiles } from "../../../src/profiles/profiles.ts";
import { confirmOnceHealthy, confirmSystem, type Confirmed } from "../../../src/run/confirm-system.ts";
import { ExitError } from "../../../src/run/exit-error.ts";
import type { Setup } from "../../../src/run/setup.ts";
import { decideAndWrite, settleMachine } from "../../../src/upgrade/apply-writes.ts";
import { readRefusedImages } from "../../../src/upgrade/slot-state.ts";
import { EventScript } from "../../support/record-events.ts";
import { HASH, installed, proven, slotMachine, type SlotMachine } from "../../support/slot-machine.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

/** What the machine's own health check says at a time, in seconds. */
type Health = (now: number) => Problem | undefined;
const LASTS = 600;
const broken = (found: string): Problem => ({ code: "test-problem", what: "the guest does not run", found });

interface Waited {
  readonly machine: SlotMachine;
  readonly said: readonly string[];
  readonly seconds: number;
  readonly outcome: Confirmed | Problem;
}

/** B is on trial. */
async function onTrial(): Promise<SlotMachine> {
  const machine = await slotMachine({ records: { A: proven, B: installed } });
  await decideAndWrite(machine.host, machine.layout, "commit");
  machine.boot();
  record(machine, "done");
  return machine;
}

function record({ layout }: SlotMachine, outcome: "done" | "failed"): void {
  mkdirSync(dirname(layout.runFiles.record), { recursive: true });
  const problem = { code: "test-problem", what: "it is broken" };
  const script = new EventScript([{ name: "first" }]).ended(
    1,
    "first",
    outcome === "done" ? { kind: "unchanged", activated: [] } : { kind: outcome, problem },
  );
  script.finish(2, outcome);
  writeFileSync(layout.runFiles.record, script.events.map((event) => `${JSON.stringify(event)}\n`).join(""));
}

function setupOf({ layout }: SlotMachine, health: Health, clock: VirtualClock): Setup {
  return {
    ...{ chain: [], layout, medium: profiles.hostos.medium, maintenance: async () => [] },
    health: async () => [{ name: "guest", inspect: async () => health(clock.now()) }],
    configuration: { files: [], executables: [], problems: [] },
  };
}

const unlocked = async (work: () => Promise<unknown>): Promise<unknown> => work();

async function waited(machine: SlotMachine, health: Health, lasts = LASTS): Promise<Waited> {
  const clock = new VirtualClock();
  const said: string[] = [];
  const waiting = { lasts, clock, say: (line: string) => void said.push(line) };
  const confirming = confirmOnceHealthy(machine.host, setupOf(machine, health, clock), unlocked, waiting);
  const outcome = await confirming.catch(refusalOf);
  return { machine, said, seconds: clock.now(), outcome };
}

function refusalOf(error: unknown): Problem {
  if (error instanceof ExitError) return error.problem;
  throw error;
}

test("a system is kept once it has been healthy for a minute, and not at its first good look", async () => {
  const { machine, outcome, seconds, said } = await waited(await onTrial(), (now) => (now < 100 ? broken(`at ${now}`) : undefined));
  expect(outcome).toEqual({ slot: "B", changed: true, checks: [{ name: "boot record" }, { name: "guest" }] });
  expect(seconds).toBeGreaterThanOrEqual(160);
  expect(seconds).toBeLessThan(170);
  expect(said).toEqual([expect.stringMatching(/^not confirmed yet: guest: the guest does not run/), expect.stringMatching(/^healthy/)]);
  expect(machine.state()).toEqual({ alternative: "B", cycle: "stable", trial: undefined });
  expect(await machine.record("B")).toMatchObject({ kind: "proven", version: "1.0.0" });
  // And a second one has nothing to do.
  expect((await waited(machine, () => broken("now"))).outcome).toEqual({ slot: "B", changed: false, checks: [] });
});

test("one that never is is left when its time is up, and the system before it says why, once", async () => {
  const { machine, outcome, seconds, said } = await waited(await onTrial(), (now) => broken(`at ${now}`));
  expect(outcome).toMatchObject({ code: "health-checks-failed", found: expect.stringContaining("the guest does not run") });
  expect(seconds).toBeGreaterThanOrEqual(LASTS);
  expect(said).toHaveLength(1);
  expect(machine.state().cycle).toBe("failsafe_check");
  expect(machine.boot()).toBe("A");
  const { host, layout } = machine;
  await settleMachine(host, layout);
  const why = expect.stringMatching(/it was started and not confirmed.*; it found: guest: the guest does not run/);
  expect(await machine.record("B")).toMatchObject({ kind: "failed", reason: why, sha256: HASH });
  expect(await readRefusedImages(host, layout)).toMatchObject([{ sha256: HASH, reason: why }]);
  // A guest that fails here too is no reason to leave: this system is stable.
  record(machine, "done");
  expect((await waited(machine, () => broken("here too"))).outcome).toEqual({ slot: "A", changed: false, checks: [] });
  expect([machine.boot(), machine.boot()]).toEqual(["A", "A"]);
});

test("one that is healthy now and then is not kept", async () => {
  const { machine, outcome } = await waited(await onTrial(), (now) => (now % 60 < 30 ? undefined : broken("again")));
  expect(outcome).toMatchObject({ code: "health-checks-failed" });
  expect(machine.boot()).toBe("A");
});

test("a boot chain that failed is said to the other system at once, whoever restarts the machine", async () => {
  const machine = await onTrial();
  record(machine, "failed");
  expect((await waited(machine, () => undefined, 1)).outcome).toMatchObject({ code: "health-checks-failed" });
  machine.boot();
  await settleMachine(machine.host, machine.layout);
  expect(await machine.record("B")).toMatchObject({ reason: expect.stringMatching(/it found: boot record: .*the boot chain failed/) });
});

test("what was said of another trial is not said of this one", async () => {
  const machine = await onTrial();
  await waited(machine, () => broken("of another"), 1);
  const file = join(machine.layout.config.slots, "B.json");
  writeFileSync(file, JSON.stringify({ ...installed, install: "11111111-2222-4333-8444-555555555555" }));
  machine.boot();
  await settleMachine(machine.host, machine.layout);
  expect(await machine.record("B")).toMatchObject({ reason: expect.not.stringContaining("it found") });
});

test("what cannot be kept for the other system does not end the trial", async () => {
  const machine = await onTrial();
  const host = {
    ...machine.host,
    writeFile: async () => {
      throw new Error("no space left on device");
    },
  };
  const { outcome, said } = await waited({ ...machine, host }, () => broken("now"), 30);
  expect(said[1]).toContain("no space left on device");
  expect(outcome).toMatchObject({ code: "health-checks-failed" });
  expect(readdirSync(machine.layout.config.slots)).not.toContain("complaint.json");
});

test("without waiting, what is so now counts: an own check that cannot be made has failed", async () => {
  const machine = await onTrial();
  const setup = setupOf(
    machine,
    () => {
      throw new ProblemError({ code: "test-problem", what: "libvirt does not answer" });
    },
    new VirtualClock(),
  );
  const problem = await confirmSystem(machine.host, setup, unlocked).catch(refusalOf);
  expect(problem).toMatchObject({ code: "health-checks-failed", found: "guest: libvirt does not answer" });
  expect(machine.state().cycle).toBe("failsafe_check");
});
