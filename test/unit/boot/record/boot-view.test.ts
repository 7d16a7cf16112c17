import { expect, test } from "vitest";
import { bootView } from "../../../../src/boot/record/boot-view.ts";
import { RunReader, type RunView } from "../../../../src/boot/record/run-view.ts";
import { EventScript } from "../../../support/record-events.ts";

function view(script: EventScript): RunView {
  const reader = new RunReader();
  for (const event of script.events) reader.read(event);
  return reader.run;
}

const problem = { code: "test-problem", what: "it broke" };

test("unchanged in a later run is no news about a unit that was changed in this boot", () => {
  const early = new EventScript([{ name: "var" }], { stage: "early" }).ended(2, "var", {
    kind: "changed",
    provisioned: ["make it"],
    activated: [],
  });
  const late = new EventScript([{ name: "var", prerequisite: true }, { name: "nftables" }], { stage: "late", at: 10 })
    .ended(11, "var", { kind: "unchanged", activated: [] })
    .ended(12, "nftables", { kind: "unchanged", activated: ["load it"] });
  const boot = bootView([view(early.finish(3, "done")), view(late.finish(12.5, "done"))]);
  expect(boot.outcome).toBe("done");
  expect(boot.seconds).toBe(5.5);
  expect(boot.units.map(({ name, result }) => [name, result?.kind])).toEqual([
    ["var", "changed"],
    ["nftables", "unchanged"],
  ]);
});

test("a later success makes good what failed before", () => {
  const failed = new EventScript([{ name: "var" }, { name: "volumes", requires: ["var"] }])
    .ended(2, "var", { kind: "failed", problem })
    .ended(2, "volumes", { kind: "skipped", because: ["var"] })
    .finish(2, "failed");
  const repaired = new EventScript([{ name: "var" }]).ended(3, "var", { kind: "unchanged", activated: [] }).finish(3, "done");
  expect(bootView([view(failed)]).outcome).toBe("failed");
  // What was skipped for it has still not run.
  expect(bootView([view(failed), view(repaired)]).outcome).toBe("failed");
  const all = new EventScript([{ name: "volumes" }]).ended(4, "volumes", { kind: "unchanged", activated: [] }).finish(4, "done");
  expect(bootView([view(failed), view(repaired), view(all)]).outcome).toBe("done");
});

test("a failure after a success counts", () => {
  const done = new EventScript([{ name: "var" }]).ended(3, "var", { kind: "unchanged", activated: [] }).finish(3, "done");
  const failed = new EventScript([{ name: "var" }]).ended(3, "var", { kind: "failed", problem }).finish(3, "failed");
  expect(bootView([view(done), view(failed)]).outcome).toBe("failed");
});

test("a unit of which a part is missing degrades the boot that could not do without the unit", () => {
  const script = new EventScript([{ name: "network" }]).ended(1, "network", { kind: "degraded", problem, partial: true });
  expect(bootView([view(script.finish(1, "degraded"))]).outcome).toBe("degraded");
});

test("what the boot can do without only degrades it", () => {
  const script = new EventScript([
    { name: "journalbeat", onFailure: "degrade" },
    { name: "shipper", onFailure: "degrade", requires: ["journalbeat"] },
  ])
    .ended(1, "journalbeat", { kind: "degraded", problem })
    .ended(1, "shipper", { kind: "skipped", because: ["journalbeat"] })
    .finish(1, "degraded");
  expect(bootView([view(script)]).outcome).toBe("degraded");
});

test("a run that was cut off leaves what earlier runs found, and an unfinished boot", () => {
  const done = new EventScript([{ name: "var" }]).ended(3, "var", { kind: "unchanged", activated: [] }).finish(3, "done");
  const cut = new EventScript([{ name: "var" }]);
  const boot = bootView([view(done), view(cut)]);
  expect(boot.outcome).toBe("unfinished");
  expect(boot.units[0]?.result?.kind).toBe("unchanged");
});

test("notes of all runs are kept, each once", () => {
  const noted = (): RunView => {
    const script = new EventScript([{ name: "network" }]);
    script.note(1, script.unit(1, "network"), "no network.conf");
    return view(script.ended(2, "network", { kind: "unchanged", activated: [] }).finish(2, "done"));
  };
  expect(bootView([noted(), noted()]).units[0]?.notes).toEqual(["no network.conf"]);
});
