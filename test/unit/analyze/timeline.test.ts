import { expect, test } from "vitest";
import { bootRuns, timelineOf } from "../../../src/analyze/timeline.ts";
import { EventScript } from "../../support/record-events.ts";

test("what had not ended when the record did reaches to its last moment", () => {
  const script = new EventScript([{ name: "var" }, { name: "volumes" }]);
  const unit = script.unit(1, "var");
  const action = script.start(2, { kind: "action", description: "format it", effect: "provision" }, unit);
  script.start(3, { kind: "tool", argv: ["mkfs.ext4"] }, action);
  script.note(7, action, "it takes long");
  const [run] = timelineOf(script.events);
  expect(run).toMatchObject({
    end: 7,
    units: [
      {
        name: "var",
        start: 1,
        end: 7,
        notes: [{ at: 7, text: "it takes long" }],
        inside: [{ what: { kind: "action" }, start: 2, end: 7, inside: [{ what: { kind: "tool" }, start: 3, end: 7 }] }],
      },
    ],
    notReached: [{ name: "volumes" }],
  });
  expect(run?.outcome).toBeUndefined();
  expect(run?.units[0]?.result).toBeUndefined();
});

test("the boot is what its services ran; without any, all that was run", () => {
  const byHand = new EventScript([]).finish(1, "done").events;
  const early = new EventScript([], { stage: "early" }).finish(1, "done").events;
  expect(bootRuns(timelineOf([...early, ...byHand])).map(({ facts }) => facts.stage)).toEqual(["early"]);
  expect(bootRuns(timelineOf([...byHand, ...byHand]))).toHaveLength(2);
});
