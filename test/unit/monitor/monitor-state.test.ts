import { expect, test } from "vitest";
import type { Inspection } from "../../../src/monitor/monitor-inspection.ts";
import { withInspections } from "../../../src/monitor/monitor-state.ts";
import { type MonitorState, readMonitorState } from "../../../src/config/state/monitor-state.ts";
import { fakeHost } from "../../support/fake-host.ts";
import { problemOf } from "../../support/problem-of.ts";

const fresh: MonitorState = { version: 1, pid: 7, since: 100, time: 100, units: [] };
const problem = { code: "test-problem", what: "no router", where: { file: "/x", line: 3 } };

function after(...inspections: readonly Partial<Inspection>[]): MonitorState {
  return inspections.reduce<MonitorState>(
    (state, inspection, index) =>
      withInspections(state, [{ name: "x", kind: "fine", done: [], drift: [], retries: 0, ...inspection }], 200 + index),
    fresh,
  );
}

test("repairs and retries add up, and the last word on the rest counts", () => {
  const failed = { kind: "failed", drift: ["ask"], problem, retries: 2 } as const;
  expect(after(failed).units).toEqual([{ name: "x", drift: ["ask"], problem, repairs: 0, retries: 2, inspectedAt: 200 }]);
  expect(after(failed, failed, { kind: "repaired", done: ["ask"] }).units).toEqual([
    { name: "x", drift: [], repairs: 1, retries: 6, inspectedAt: 202, repairedAt: 202 },
  ]);
  expect(after({ kind: "repaired" }, {}).units).toEqual([
    { name: "x", drift: [], repairs: 1, retries: 0, inspectedAt: 201, repairedAt: 200 },
  ]);
});

test("units that were not inspected stay", () => {
  expect(withInspections(after({}), [], 301)).toMatchObject({ time: 301, units: [{ name: "x", inspectedAt: 200 }] });
});

const reading = async (text: string): Promise<MonitorState | undefined> =>
  readMonitorState(fakeHost({ files: { "/run/x.json": text } }), "/run/x.json");

test("what is written can be read again", async () => {
  const state = withInspections(after({ kind: "failed", drift: ["ask"], problem }, {}), [], 300);
  expect(await reading(`${JSON.stringify(state)}\n`)).toEqual(state);
  expect((await reading(JSON.stringify(after({ kind: "failed", problem }))))?.units[0]?.problem).toEqual(problem);
});

test.each(["", "{", "[]", '{"version":2}'])("%j is no state of a monitor", async (text) => {
  expect(await problemOf(() => reading(text))).toMatchObject({
    code: "monitor-state-damaged",
    what: "the state of the monitor is damaged",
    where: { file: "/run/x.json" },
  });
});
