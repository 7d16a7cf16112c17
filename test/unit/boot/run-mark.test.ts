import { expect, test } from "vitest";
import type { FoundMark, RunMark } from "../../../src/boot/run-mark.ts";
import type { RecordEvent } from "../../../src/boot/record/record.ts";
import { runUnits } from "../../../src/boot/runner.ts";
import { activate, defineUnit, type Plan, provision, type Unit } from "../../../src/boot/unit.ts";
import type { UnfinishedRun } from "../../../src/config/state/unfinished-run.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const before: UnfinishedRun = { bootId: "before", run: "early", time: "2026-10-05T10:15:00.000Z", at: [{ unit: "a", action: "make a" }] };

interface World {
  readonly clock: VirtualClock;
  readonly log: string[];
}

/** A place for marks that takes its time, and tells what is done to it. */
function placeOf({ clock, log }: World, answers: readonly FoundMark[]): RunMark {
  let asked = 0;
  return {
    async find() {
      const found = answers[Math.min(asked++, answers.length - 1)] ?? { kind: "nothing" };
      log.push(`find: ${found.kind}`);
      return found;
    },
    async write({ at }) {
      await clock.sleep(10);
      log.push(`note ${at.map(({ unit, action }) => `${unit}: ${action}`).join(", ") || "nothing"}`);
    },
    remove: async () => void log.push("remove"),
  };
}

async function ran(
  units: (world: World) => readonly Unit<undefined>[],
  answers: readonly FoundMark[],
  change: Partial<RunMark> = {},
): Promise<World> {
  const world: World = { clock: new VirtualClock(), log: [] };
  const { clock, log } = world;
  const sink = (event: RecordEvent): void => {
    if (event.event === "interrupted") log.push(`told of ${event.before.bootId}`);
    if (event.event === "run-ended") log.push("end");
  };
  await runUnits(units(world), {
    machine: () => undefined,
    facts: { bootId: "here", version: "1", slot: "A", pid: 1, stage: "early" },
    ...{ sink, clock, signal: new AbortController().signal },
    mark: { ...placeOf(world, answers), ...change },
  });
  return world;
}

/** A unit that does these things, each of which takes that long, and then has nothing to do. */
function acting({ clock, log }: World, name: string, kinds: readonly ("provision" | "activate")[], milliseconds = 100): Unit<undefined> {
  let done = false;
  const kind = { provision, activate };
  const plan = async (): Promise<Plan> => {
    if (done) return [];
    done = true;
    return kinds.map((effect, index) =>
      kind[effect](`${effect} ${index + 1}`, async () => {
        log.push(`${name} does ${effect} ${index + 1}`);
        await clock.sleep(milliseconds);
      }),
    );
  };
  return defineUnit({ name, title: name, plan });
}

test("what provisions is noted before it is done; what activates is not", async () => {
  const { log } = await ran((world) => [acting(world, "a", ["activate", "provision", "provision"])], []);
  expect(log).toEqual([
    "find: nothing",
    "a does activate 1",
    ...["note a: provision 2", "a does provision 2"],
    ...["note a: provision 3", "a does provision 3"],
    ...["note nothing", "remove", "end"],
  ]);
});

test("a run that provisions nothing leaves the place as it is", async () => {
  expect((await ran((world) => [acting(world, "a", ["activate"])], [])).log).toEqual(["find: nothing", "a does activate 1", "end"]);
});

test("units at work at the same time are in one note, and one that has ended no longer does", async () => {
  const { log } = await ran(
    (world) => [acting(world, "a", ["provision"]), acting(world, "b", ["provision"]), acting(world, "c", ["provision", "provision"], 150)],
    [],
  );
  expect(log.filter((line) => line.startsWith("note"))).toEqual([
    "note a: provision 1, b: provision 1, c: provision 1",
    "note b: provision 1, c: provision 1",
    "note c: provision 1",
    "note c: provision 2",
    "note nothing",
  ]);
});

test("what an earlier run left is told as soon as the place can be seen, once, and taken away at the end", async () => {
  const { log } = await ran(
    (world) => {
      const mount = acting(world, "mount", ["activate"]);
      return [mount, { ...acting(world, "next", ["activate"]), requires: [mount] }];
    },
    [{ kind: "out-of-reach" }, { kind: "unfinished", before }],
  );
  expect(log).toEqual([
    ...["find: out-of-reach", "mount does activate 1", "find: unfinished", "told of before"],
    ...["next does activate 1", "remove", "end"],
  ]);
});

test("what cannot be read is taken away too", async () => {
  expect((await ran((world) => [acting(world, "a", [])], [{ kind: "unreadable" }])).log).toEqual(["find: unreadable", "remove", "end"]);
});

test("a place that does not answer any more does not hold up the end of a run", async () => {
  const { log, clock } = await ran((world) => [acting(world, "a", ["provision"])], [], {
    remove: async () => new Promise(() => undefined),
  });
  expect(log.at(-1)).toBe("end");
  expect(clock.milliseconds).toBeLessThan(5_000);
});

test("a place that does not answer does not keep a unit from being told to stop", async () => {
  const { log } = await ran((world) => [{ ...acting(world, "a", ["provision"]), timeout: 1_000 }], [], {
    write: async () => new Promise(() => undefined),
  });
  expect(log).toEqual(["find: nothing", "end"]);
});

test("a disk that never answers holds up each unit once at the most, and the run ends", async () => {
  const never = async (): Promise<never> => new Promise(() => undefined);
  for (const change of [{ find: never }, { write: never }, { remove: never }] as const) {
    const { log, clock } = await ran((world) => [acting(world, "a", ["provision"]), acting(world, "b", ["provision"])], [], change);
    expect(log).toEqual(expect.arrayContaining(["a does provision 1", "b does provision 1", "end"]));
    expect(clock.now()).toBeLessThan(30);
  }
});
