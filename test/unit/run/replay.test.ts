import { expect, test } from "vitest";
import { ProblemError } from "../../../src/base/problem.ts";
import * as z from "../../../src/base/schema.ts";
import { activate, conflict, isConflict } from "../../../src/boot/unit.ts";
import { profiles } from "../../../src/profiles/profiles.ts";
import { Recorder, type Told } from "../../../src/run/recorder.ts";
import { replay, unknownUnits } from "../../../src/run/replay.ts";
import { concluded } from "../../../src/system/concluded.ts";
import type { Host } from "../../../src/system/host.ts";
import { type GuestUnit, unit } from "../../../src/units/machine.ts";
import { fakeHost, type FakeMachine } from "../../support/fake-host.ts";
import { testMachine } from "../../support/test-machine.ts";

const { layout, medium } = profiles.guestos;

/** Plans units on a machine, and keeps what is told of it, as a file does. */
async function recorded(
  units: readonly GuestUnit[],
  machine: FakeMachine,
  over: (host: Host) => Host = (host) => host,
): Promise<readonly Told[]> {
  const told: Told[] = [];
  const recorder = new Recorder((one) => void told.push(JSON.parse(JSON.stringify(one)) as Told), layout);
  for (const one of units) {
    const watched = recorder.unit(one);
    const host = recorder.host(over(fakeHost(machine)), one.name);
    try {
      const plan = await watched.plan(testMachine(host));
      if (!isConflict(plan)) for (const action of plan) await action.run();
    } catch {
      // It is recorded.
    }
  }
  return told;
}

/** A unit that decides by a file, a tool and the clock. */
const looking = (limit: number): GuestUnit =>
  unit({
    name: "looking",
    title: "Look",
    async plan({ host }) {
      const text = (await host.readText("/etc/limit"))?.trim();
      const { stdout } = await host.run({ program: "count", args: ["--all"] });
      if (host.now() === 0) return conflict({ code: "no-time", what: "there is no time" });
      if (text === undefined) throw new Error("a defect");
      const number = Number(text) + Number(stdout);
      return number > limit
        ? [activate(`lower ${number} to ${limit}`, async () => host.writeFile("/etc/limit", "0", { mode: 0o644 }))]
        : [];
    },
  });
const machine: FakeMachine = {
  files: { "/etc/limit": "7\n" },
  attributes: { "/etc/limit": { mode: 0o644 } },
  commands: { "count --all": "5\n" },
};

test("what was decided is decided again, offline; what an action does is not part of it", async () => {
  const told = await recorded([looking(10)], machine);
  expect(await replay([looking(10)], told, { layout, medium })).toEqual([
    { kind: "same", unit: "looking", plan: 1, decision: { kind: "actions", actions: ["lower 12 to 10"] } },
  ]);
  expect(JSON.stringify(told)).not.toContain("writeFile");
});

test("another version that decides otherwise is told from it, with both decisions", async () => {
  const told = await recorded([looking(10)], machine);
  expect(await replay([looking(20)], told, { layout, medium })).toEqual([
    expect.objectContaining({
      kind: "differs",
      recorded: { kind: "actions", actions: ["lower 12 to 10"] },
      now: { kind: "actions", actions: [] },
    }),
  ]);
});

test("a conflict, a failed tool and a defect are decisions too", async () => {
  const atZero = (host: Host): Host => ({ ...host, now: () => 0 });
  for (const [told, kind] of [
    [await recorded([looking(10)], machine, atZero), "conflict"],
    [await recorded([looking(10)], { ...machine, commands: { "count --all": { status: 3, stderr: "no" } } }), "error"],
    [await recorded([looking(10)], { commands: { "count --all": "5\n" } }), "error"],
  ] as const) {
    const [plan] = await replay([looking(10)], told, { layout, medium });
    expect(plan).toMatchObject({ kind: "same", decision: { kind } });
  }
});

test("what not everyone may read is not in the record, and what follows from it is not decided", async () => {
  const told = await recorded([looking(10)], {
    ...machine,
    attributes: { "/etc/limit": { mode: 0o640 } },
    files: { "/etc/limit": "a-secret-7" },
  });
  expect(JSON.stringify(told)).not.toContain("a-secret-7");
  expect(await replay([looking(10)], told, { layout, medium })).toEqual([
    { kind: "not decided", unit: "looking", plan: 1, unknown: ["a secret"] },
  ]);
});

test("what follows from a secret is recorded without it, and decided again", async () => {
  const shape = z.object({ kind: z.string(), length: z.optional(z.number()) });
  const byKey = (length: number): GuestUnit =>
    unit({
      name: "looking",
      title: "Look",
      async plan({ host }) {
        const key = await concluded(host, { name: "kind of key", args: ["/key"], shape }, async (asked) => {
          const text = await asked.readText("/key");
          if (text === undefined) throw new ProblemError({ code: "no-key", what: "there is no key" }, { retryable: true });
          return { kind: "raw", length: text.length };
        });
        return key.length === length ? [] : conflict({ code: "odd-key", what: `${key.kind} of ${key.length}` });
      },
    });
  const told = await recorded([byKey(12)], { files: { "/key": "a-secret-key" }, attributes: { "/key": { mode: 0o400 } } });
  expect(told.map((line) => ("call" in line ? line.call : "decision"))).toEqual(["kind of key", "decision"]);
  expect(JSON.stringify(told)).not.toContain("a-secret-key");
  expect(await replay([byKey(12)], told, { layout, medium })).toMatchObject([{ kind: "same", decision: { actions: [] } }]);
  expect(await replay([byKey(16)], told, { layout, medium })).toMatchObject([{ kind: "differs", now: { kind: "conflict" } }]);
  const without = await recorded([byKey(12)], {});
  expect(await replay([byKey(12)], without, { layout, medium })).toMatchObject([
    { kind: "same", decision: { problem: { code: "no-key" } } },
  ]);
  // A record of another version, or a forged one.
  const other = told.map((line) => ("call" in line ? { ...line, answer: { value: { kind: 7 } } } : line));
  expect(await replay([byKey(12)], other, { layout, medium })).toMatchObject([
    { kind: "not decided", unknown: ["an answer to kind of key that can be read"] },
  ]);
});

test("what a medium holds is a secret, whoever may read it there", async () => {
  const tar = layout.medium.directTar;
  const reading = unit({ ...looking(10), plan: async ({ host }) => ((await host.readText(tar)) === "" ? [] : []) });
  const told = await recorded([reading], { files: { [tar]: "the operator's key" }, attributes: { [tar]: { mode: 0o644 } } });
  expect(told).toHaveLength(2);
  expect(JSON.stringify(told)).not.toContain("operator");
});

test("a private key is a secret, also where its mode is wrong", async () => {
  const key = "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----\n";
  const reading = unit({
    ...looking(10),
    plan: async ({ host }) => ((await host.readText("/key")) === (await host.readBytes("/key"))?.toString() ? [] : []),
  });
  const told = await recorded([reading], { files: { "/key": key }, attributes: { "/key": { mode: 0o644 } } });
  expect(told).toHaveLength(3);
  expect(JSON.stringify(told)).not.toMatch(/MC4CAQ|PRIVATE/);
  expect(JSON.stringify(told)).not.toContain(Buffer.from(key).toString("base64").slice(0, 20));
});

test("a plan that waits for another answer than the recorded one ends", async () => {
  const told = await recorded([looking(10)], machine);
  const waiting = unit({
    ...looking(10),
    async plan({ host }) {
      while ((await host.readText("/etc/limit")) !== "gone") continue;
      return [];
    },
  });
  expect(await replay([waiting], told, { layout, medium })).toMatchObject([{ kind: "not decided", unknown: ["another answer"] }]);
});

test("what is asked now and was not, what goes past the host, and a unit that is gone", async () => {
  const other = unit({
    ...looking(10),
    plan: async ({ host }) => ((await host.stat("/etc/other").catch(() => undefined)) === undefined ? [] : []),
  });
  const told = await recorded([looking(10)], machine);
  expect(await replay([other], told, { layout, medium })).toEqual([
    { kind: "not decided", unit: "looking", plan: 1, unknown: ["stat /etc/other"] },
  ]);
  const beyond = unit({ ...looking(10), plan: async ({ host }) => (host.beyond?.("the system bus"), []) });
  expect(await replay([beyond], await recorded([beyond], machine), { layout, medium })).toMatchObject([
    { kind: "not decided", unknown: ["the system bus"] },
  ]);
  expect(await replay([], told, { layout, medium })).toEqual([]);
  expect(unknownUnits([], told)).toEqual(["looking"]);
});

test("units of each profile decide again as they did, on a machine that has nothing", async () => {
  let decided = 0;
  for (const profile of Object.values(profiles)) {
    const chain = (await profile.chain()).filter(({ retryFor }) => retryFor === 0);
    const told = await recorded(chain, { files: { "/proc/cmdline": "dfinity.system=A\n", "/proc/self/mountinfo": "" } });
    const plans = await replay(chain, told, { layout, medium });
    expect(plans.filter(({ kind }) => kind === "differs")).toEqual([]);
    decided += plans.filter(({ kind }) => kind === "same").length;
  }
  expect(decided).toBeGreaterThan(10);
});
