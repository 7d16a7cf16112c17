import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RecordEvent } from "../../../src/boot/record/record.ts";
import { runUnits } from "../../../src/boot/runner.ts";
import { activate, defineUnit, type Unit } from "../../../src/boot/unit.ts";
import { type Host, systemHost } from "../../../src/system/host.ts";
import { outline, unitSpans } from "../../support/record-rules.ts";
import { runs } from "../../support/running.ts";

const facts = { bootId: "boot", version: "1", slot: "A", pid: process.pid, stage: undefined } as const;

function unit(name: string, plan: (host: Host) => ReturnType<Unit<Host>["plan"]>, timeout = 60_000): Unit<Host> {
  return defineUnit({ name, title: name, plan, timeout });
}

async function run(units: readonly Unit<Host>[], signal = new AbortController().signal): Promise<readonly RecordEvent[]> {
  const events: RecordEvent[] = [];
  await runUnits(units, {
    machine: ({ signal: own, onTool }) => systemHost({ signal: own, onTool }),
    facts,
    sink: (event) => events.push(event),
    signal,
  });
  return events;
}

test("real tools and files: a file is made by a tool, found on the second run, and the record shows each tool below its action", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runner-"));
  const path = join(folder, "made");
  const make = unit("make", async (host) =>
    (await host.stat(path)) === undefined
      ? [activate("make it", async () => void (await host.run({ program: "touch", args: [path] })))]
      : [],
  );
  const first = await run([make]);
  expect(outline(first)).toEqual([
    "make",
    "  plan",
    "  /plan: planned",
    "  make it",
    `    $ touch ${path}`,
    `    /$ touch ${path}: tool`,
    "  /make it: done",
    "  plan",
    "  /plan: planned",
    "/make: unchanged",
  ]);
  expect(existsSync(path)).toBe(true);
  expect(outline(await run([make]))).toEqual(["make", "  plan", "  /plan: planned", "/make: unchanged"]);
  rmSync(folder, { recursive: true });
});

test("a unit whose time is up has its tool stopped with all that the tool started", async () => {
  const marker = `86399.${process.pid}`;
  const hang = unit(
    "hang",
    async (host) => [
      activate("wait", async () => void (await host.run({ program: "sh", args: ["-c", `echo last words >&2; sleep ${marker} & wait`] }))),
    ],
    500,
  );
  const result = unitSpans(await run([hang])).get("hang")?.result;
  expect(result).toMatchObject({
    kind: "failed",
    problem: { what: "did not end within 0.5 s", found: expect.stringMatching(/^wait \(sh -c .*last words/) },
  });
  expect(runs(marker)).toBe(false);
});

test("told to stop, tools that ignore SIGTERM are killed, and the run ends within 5 s", async () => {
  const marker = `86398.${process.pid}`;
  const controller = new AbortController();
  const deaf = unit("deaf", async (host) => {
    setTimeout(() => controller.abort(), 300);
    await host.run({ program: "sh", args: ["-c", `trap '' TERM; sleep ${marker} & wait; sleep ${marker}`] });
    return [];
  });
  const events = await run([deaf], controller.signal);
  expect(events.at(-1)).toMatchObject({ event: "run-ended", outcome: "stopped" });
  expect((events.at(-1)?.at ?? Infinity) - (events[0]?.at ?? 0)).toBeLessThan(5.3);
  expect(runs(marker)).toBe(false);
});

/** The wall time is printed and not judged closely, since machines are noisy: what is judged is that it does not grow with the square. */
const SIZE = 10_000;
const BOUND = 3_000;

const shapes: Readonly<Record<string, (made: readonly Unit<null>[], index: number) => readonly Unit<null>[]>> = {
  "a chain": (made) => made.slice(-1),
  "a star": (made) => made.slice(0, 1),
  "no edges": () => [],
  "random layers": (made, index) => {
    const layer = Math.floor(index / 100) * 100;
    return layer === 0
      ? []
      : [...new Set([7, 31, 57].map((step) => (layer - 100 + ((index * step) % 100)) % made.length))].flatMap((other) => made[other] ?? []);
  },
};

test.each(Object.entries(shapes))("ten thousand units in %s are run in little time", async (shape, requires) => {
  const units: Unit<null>[] = [];
  for (let index = 0; index < SIZE; index++)
    units.push(defineUnit<null>({ name: `u${index}`, title: "", requires: requires(units, index), plan: async () => [] }));
  const start = performance.now();
  const { counts } = await runUnits(units, { machine: () => null, facts, sink: () => {}, signal: new AbortController().signal });
  const took = performance.now() - start;
  console.info(`${SIZE} units in ${shape}: ${took.toFixed()} ms`);
  expect(counts.unchanged).toBe(SIZE);
  expect(took).toBeLessThan(BOUND);
});
