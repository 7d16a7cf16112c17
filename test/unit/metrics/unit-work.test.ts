import { expect, test } from "vitest";
import { unitWork } from "../../../src/metrics/unit-work.ts";
import { EventScript } from "../../support/record-events.ts";

const exited = { kind: "tool", ending: { kind: "exited", status: 0 }, stderr: "" } as const;
const busy = { kind: "retry", problem: { code: "test-problem", what: "busy" } } as const;

test("tools and retries below a unit's spans are the unit's, over all runs of the boot", () => {
  const script = (at: number): EventScript => {
    const run = new EventScript([{ name: "volumes" }, { name: "var" }], { at });
    const unit = run.unit(at, "volumes");
    const plan = run.start(at, { kind: "plan" }, unit);
    const tool = run.start(at + 1, { kind: "tool", argv: ["lvs"] }, plan);
    return run
      .end(at + 1.5, tool, exited)
      .end(at + 2, plan, { kind: "planned", actions: [] })
      .end(at + 4, run.start(at + 3, busy, unit), { kind: "done" })
      .ended(at + 5, "volumes", { kind: "unchanged", activated: [] });
  };
  const work = unitWork([...script(10).events, ...script(100).events]);
  expect([...work]).toEqual([["volumes", { toolSeconds: 1, tools: 2, retries: 2 }]]);
});

test("a tool that has not ended counts as run, and for no time", () => {
  const run = new EventScript([{ name: "var" }]);
  run.start(1, { kind: "tool", argv: ["fsck"] }, run.unit(0, "var"));
  expect(unitWork(run.events).get("var")).toEqual({ toolSeconds: 0, tools: 1, retries: 0 });
});

test("the last action that ended well is known by the time of day", () => {
  const run = new EventScript([{ name: "nftables" }], { at: 50 });
  const unit = run.unit(50, "nftables");
  const load = { kind: "action", description: "load", effect: "activate" } as const;
  run.end(52, run.start(51, load, unit), { kind: "done" });
  run.end(60, run.start(55, load, unit), { kind: "failed", problem: { code: "test-problem", what: "no" } });
  expect(unitWork(run.events).get("nftables")?.lastAction).toBe(Date.parse("2026-10-05T10:15:02.000Z") / 1000);
});
