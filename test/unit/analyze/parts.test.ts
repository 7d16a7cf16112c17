import { expect, test } from "vitest";
import { byKind, partsOf, shares, waitLabel } from "../../../src/analyze/parts.ts";
import { timelineOf, type UnitBar } from "../../../src/analyze/timeline.ts";
import { EventScript } from "../../support/record-events.ts";

const exited = { kind: "tool", ending: { kind: "exited", status: 0 }, stderr: "" } as const;

function busyUnit(): UnitBar {
  const script = new EventScript([{ name: "store" }]);
  const unit = script.unit(0, "store");
  const plan = script.start(1, { kind: "plan" }, unit);
  script.end(2, plan, { kind: "failed", problem: { code: "test-problem", what: "cannot inspect /dev/vda10" } });
  const retry = script.start(2, { kind: "retry", problem: { code: "test-problem", what: "cannot inspect /dev/vda10" } }, unit);
  script.end(4, retry, { kind: "done" });
  const action = script.start(4, { kind: "action", description: "format it", effect: "provision" }, unit);
  const first = script.start(5, { kind: "tool", argv: ["/usr/sbin/mkfs.ext4", "/dev/vda10"] }, action);
  const second = script.start(6, { kind: "tool", argv: ["sync"] }, action);
  script.end(8, first, exited);
  script.end(9, second, exited);
  script.end(9.5, action, { kind: "done" });
  script.ended(10, "store", { kind: "changed", provisioned: ["format it"], activated: [] });
  return timelineOf(script.finish(10, "done").events)[0]?.units[0] ?? expect.unreachable();
}

test("a unit's time is cut into what it went into, without gaps and nothing twice", () => {
  expect(partsOf(busyUnit()).map(({ kind, label, start, end }) => [kind, label, start, end])).toEqual([
    ["runner", "runner", 0, 1],
    ["inspect", "what is there", 1, 2],
    ["wait", "device: cannot inspect /dev/vda10", 2, 4],
    ["own", "format it", 4, 5],
    ["tool", "mkfs.ext4", 5, 8],
    // It ran beside the first one before that.
    ["tool", "sync", 8, 9],
    ["own", "format it", 9, 9.5],
    ["runner", "runner", 9.5, 10],
  ]);
});

test("parts of one kind and label are taken together", () => {
  const parts = partsOf(busyUnit());
  expect(shares(parts)[0]).toEqual({ kind: "tool", label: "mkfs.ext4", seconds: 3 });
  expect(byKind(parts)).toEqual({ runner: 1.5, inspect: 1, wait: 2, own: 1.5, tool: 4 });
});

test.each([
  [{ code: "test-problem", what: "no configuration medium was found" }, "medium: no configuration medium was found"],
  [{ code: "test-problem", what: "there is no network interface to configure" }, "device: there is no network interface to configure"],
  [{ code: "test-problem", what: "enp1s0 has no carrier" }, "network: enp1s0 has no carrier"],
  [{ code: "test-problem", what: "cannot open /dev/vda10", found: "the device is in use" }, "lock: cannot open /dev/vda10"],
  [{ code: "test-problem", what: "the moon is not full" }, "the moon is not full"],
])("a wait says what kind of thing was missing, where its words tell: %j", (problem, label) => {
  expect(waitLabel(problem)).toBe(label);
});

test("a tool that said that it waited for a lock is shown as one that did", () => {
  const script = new EventScript([{ name: "store" }]);
  const unit = script.unit(0, "store");
  const plan = script.start(0, { kind: "plan" }, unit);
  const tool = script.start(0, { kind: "tool", argv: ["sfdisk"] }, plan);
  script.end(3, tool, { ...exited, stderr: "sfdisk: /dev/vda: device already locked, waiting to get lock ... OK" });
  script.end(3, plan, { kind: "planned", actions: [] });
  script.ended(3, "store", { kind: "unchanged", activated: [] });
  const bar = timelineOf(script.finish(3, "done").events)[0]?.units[0] ?? expect.unreachable();
  expect(partsOf(bar)).toMatchObject([{ kind: "tool", label: "sfdisk, which waited for a lock", start: 0, end: 3 }]);
});
