import { expect, test } from "vitest";
import { schedule } from "../../../src/boot/scheduler.ts";
import { defineUnit, type Unit } from "../../../src/boot/unit.ts";

function unit(name: string, requires: readonly Unit<null>[] = [], after: readonly Unit<null>[] = []): Unit<null> {
  return defineUnit({ name, title: name, requires, after, plan: async () => [] });
}

interface Watched {
  readonly started: string[];
  readonly running: () => readonly string[];
  readonly end: (name: string, succeeded?: boolean) => Promise<void>;
  readonly results: Promise<ReadonlyMap<string, string>>;
}

/** Schedules the units; each runs until the test ends it. */
function watch(units: readonly Unit<null>[], arrange?: (ready: readonly Unit<null>[]) => readonly Unit<null>[]): Watched {
  const started: string[] = [];
  const open = new Map<string, (succeeds: boolean) => void>();
  const results = new Map<string, string>();
  const ended = schedule(units, {
    run: async ({ name }) => {
      started.push(name);
      const succeeds = await new Promise<boolean>((resolve) => open.set(name, resolve));
      results.set(name, succeeds ? "ok" : "failed");
      return succeeds;
    },
    skip: ({ name }, because) => {
      started.push(`skip ${name}`);
      results.set(name, `skipped for ${because.map((each) => each.name).join(" and ")}`);
    },
    ...(arrange === undefined ? {} : { arrange }),
  });
  return {
    started,
    running: () => [...open.keys()],
    end: async (name, succeeded = true) => {
      open.get(name)?.(succeeded);
      open.delete(name);
      await new Promise((resolve) => setImmediate(resolve));
    },
    results: ended.then(() => results),
  };
}

test("no units are done at once", async () => {
  expect(await watch([]).results).toEqual(new Map());
});

test("everything that waits for nothing starts at once, and what waits starts with the end of the last it waits for", async () => {
  const a = unit("a");
  const b = unit("b");
  const run = watch([a, b, unit("c", [a, b]), unit("d")]);
  expect(run.started).toEqual(["a", "b", "d"]);
  await run.end("a");
  expect(run.started).toEqual(["a", "b", "d"]);
  await run.end("b");
  expect(run.started).toEqual(["a", "b", "d", "c"]);
  await run.end("d");
  await run.end("c");
  expect([...(await run.results).values()]).toEqual(["ok", "ok", "ok", "ok"]);
});

test("what requires a failed unit is skipped, and so is what requires that", async () => {
  const a = unit("a");
  const b = unit("b", [a]);
  const run = watch([a, b, unit("c", [b]), unit("d")]);
  await run.end("a", false);
  await run.end("d");
  expect(await run.results).toEqual(new Map(Object.entries({ a: "failed", b: "skipped for a", c: "skipped for b", d: "ok" })));
});

test("all requirements that failed are named, and the ones that succeeded are not", async () => {
  const [a, b, c] = [unit("a"), unit("b"), unit("c")];
  const run = watch([a, b, c, unit("d", [a, b, c])]);
  await run.end("a", false);
  await run.end("b");
  expect(run.started).not.toContain("skip d");
  await run.end("c", false);
  expect((await run.results).get("d")).toBe("skipped for a and c");
});

test("a unit that follows a failed one runs nevertheless, and only after it has ended", async () => {
  const a = unit("a");
  const run = watch([a, unit("b", [], [a])]);
  expect(run.started).toEqual(["a"]);
  await run.end("a", false);
  expect(run.started).toEqual(["a", "b"]);
  await run.end("b");
  await run.results;
});

test("a unit to follow that is not part of the run is not waited for", async () => {
  const run = watch([unit("b", [], [unit("absent")])]);
  await run.end("b");
  expect((await run.results).get("b")).toBe("ok");
});

test("a unit named both as required and as followed counts once", async () => {
  const a = unit("a");
  const run = watch([a, unit("b", [a, a], [a])]);
  await run.end("a");
  expect(run.running()).toEqual(["b"]);
  await run.end("b");
  expect((await run.results).size).toBe(2);
});

test("the order of what is ready together can be arranged", async () => {
  const run = watch([unit("a"), unit("b"), unit("c")], (ready) => ready.toReversed());
  expect(run.started).toEqual(["c", "b", "a"]);
  for (const name of ["a", "b", "c"]) await run.end(name);
  await run.results;
});

test("a long chain of skipped units does not exhaust the stack", async () => {
  const chain: Unit<null>[] = [];
  for (let index = 0; index < 20_000; index++) chain.push(unit(`u${index}`, chain.slice(-1)));
  const run = watch(chain);
  await run.end("u0", false);
  expect((await run.results).size).toBe(20_000);
});

test("two hundred thousand units that are skipped together do not exhaust the stack", { timeout: 60_000 }, async () => {
  const a = unit("a");
  const run = watch([a, ...Array.from({ length: 200_000 }, (_, index) => unit(`u${index}`, [a]))]);
  await run.end("a", false);
  expect((await run.results).size).toBe(200_001);
});

test("a defect in a callback ends the schedule with that error and does not leave it hanging", async () => {
  const a = unit("a");
  const broken = schedule([a, unit("b", [a])], {
    run: async () => false,
    skip: () => {
      throw new Error("defect");
    },
  });
  await expect(broken).rejects.toThrow("defect");
});
