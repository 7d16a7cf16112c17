import { expect, test } from "vitest";
import { plot } from "../../../src/analyze/plot.ts";
import { elementsOf } from "../../support/markup.ts";
import { EventScript } from "../../support/record-events.ts";
import { bootFrom, bootOfEvents, firstBoot } from "../../support/recorded-boots.ts";

const HOSTILE = `</text><script>alert("1")</script>&'`;

function pictureOf(script: EventScript): string {
  const { runs, phases } = bootOfEvents(script.events);
  return plot({ title: "a boot", runs, phases });
}

test("a recorded boot is drawn: every unit by name, critical ones marked, one arrow for each that was released", () => {
  const { runs, phases } = bootFrom(firstBoot);
  const svg = plot({ title: "a boot", runs, phases });
  elementsOf(svg);
  for (const { name } of runs.flatMap(({ units }) => units)) expect(svg).toContain(`>${name}</text>`);
  const released = runs.flatMap((run) => run.units.filter(({ requires }) => run.units.some((unit) => requires.includes(unit.name))));
  // Two of them are the marks' own, one is the legend's.
  expect(svg.match(/marker-end=/g)).toHaveLength(released.length + 1);
  expect(svg.match(/<rect class="critical"|class="critical" x/g)?.length).toBeGreaterThan(7);
});

test("hostile names and words stay text", () => {
  const script = new EventScript([{ name: HOSTILE }], { stage: "early" });
  const unit = script.unit(1, HOSTILE);
  const action = script.start(1, { kind: "action", description: HOSTILE, effect: "provision" }, unit);
  const tool = script.start(1, { kind: "tool", argv: [HOSTILE, HOSTILE] }, action);
  script.end(2, tool, { kind: "tool", ending: { kind: "exited", status: 0 }, stderr: HOSTILE });
  script.end(2, action, { kind: "done" });
  script.ended(3, HOSTILE, { kind: "failed", problem: { code: "test-problem", what: HOSTILE } });
  const names = elementsOf(pictureOf(script.finish(3, "failed")));
  expect(names).not.toContain("script");
});

test("waits are hatched, what was skipped is an outline, and how a unit failed is beside it in words", () => {
  const script = new EventScript([{ name: "store" }, { name: "var", requires: ["store"] }], { stage: "early" });
  const unit = script.unit(1, "store");
  const wait = script.start(1, { kind: "retry", problem: { code: "test-problem", what: "no device" } }, unit);
  script.end(2, wait, { kind: "done" });
  script.ended(3, "store", { kind: "failed", problem: { code: "test-problem", what: "no device" } });
  script.ended(3, "var", { kind: "skipped", because: ["store"] });
  const svg = pictureOf(script.finish(3, "failed"));
  expect(svg.match(/fill="url\(#gb-wait\)"/g)).toHaveLength(2);
  expect(svg).toContain(">2.00 s failed</text>");
  expect(svg).toContain(">skipped</text>");
  expect(svg).toContain('<rect class="skipped"');
});

test("two hundred units have a row each, on a picture as wide as for a few, and nothing is outside of it", () => {
  const names = Array.from({ length: 200 }, (_, index) => ({ name: `unit-${index}`, requires: index === 0 ? [] : [`unit-${index - 1}`] }));
  const script = new EventScript(names, { stage: "early" });
  for (const [index, { name }] of names.entries()) {
    script.unit(index, name);
    script.ended(index + 1, name, { kind: "unchanged", activated: [] });
  }
  const svg = pictureOf(script.finish(200, "done"));
  const [, width = 0, height = 0] = (/width="(\d+)" height="(\d+)"/.exec(svg) ?? []).map(Number);
  expect(width).toBe(1280);
  const labels = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)" text-anchor="end"/g)].map(([, , y]) => Number(y));
  expect(new Set(labels).size).toBe(200);
  for (const [index, y] of labels.entries()) if (index > 0) expect(y - (labels[index - 1] ?? 0)).toBeGreaterThanOrEqual(14);
  for (const [, x] of svg.matchAll(/ x="([-\d.]+)"/g)) {
    expect(Number(x)).toBeGreaterThanOrEqual(0);
    expect(Number(x)).toBeLessThanOrEqual(width);
  }
  expect(Math.max(...labels)).toBeLessThan(height);
});

test("a boot of which nothing is known yet is an empty picture, not an error", () => {
  expect(elementsOf(pictureOf(new EventScript([{ name: "a" }])))).toContain("svg");
});
