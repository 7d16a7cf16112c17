import { expect, test } from "vitest";
import { type Intent } from "../../../src/config/state/intent.ts";
import { type Cell, cellName, conflictOf, type Place, places } from "../../support/two-keys.ts";
import { isRecorded } from "../support/keep-replay.ts";
import { cellsHere, cellSteps, restore, save } from "../support/two-keys.ts";
import { runSteps, type StepResult } from "../support/workbench.ts";
import { ALL_MARKERS, CLOSE, document, facts, fullRun, identities, intentIn, INTENTS, intentsOf, node, unitOf, uuidsOf } from "./story.ts";

test("none × blank: everything is made on a disk where nothing is, and the intents say what was made", () =>
  node.use(async (vm) => {
    const { provisioning } = facts();
    expect(provisioning.outcome).toBe("done");
    for (const name of ["store-key", "var", "volumes", "volume-filesystems"]) {
      expect(provisioning.units.find((unit) => unit.name === name)?.outcome, name).toBe("changed");
    }
    const intents = await intentsOf(vm);
    expect([...intents.keys()].toSorted()).toEqual(INTENTS.toSorted());
    expect([...intents.values()].map(({ phase }) => phase)).toEqual(INTENTS.map(() => "complete"));
  }));

test("complete × ours: everything is kept, and what was written is there", () =>
  node.use(async (vm) => {
    const { result, markers } = await fullRun(vm);
    expect(result, JSON.stringify(result?.document)).toMatchObject({ status: 0, wroteConfig: false, document: { outcome: "done" } });
    expect(document(result).units.flatMap(({ provisioned }) => provisioned)).toEqual([]);
    expect(markers).toBe(ALL_MARKERS);
    expect(await identities(vm)).toEqual(uuidsOf(await intentsOf(vm)));
    const store = `/dev/mapper/${facts().disk.slice("/dev/".length)}10-crypt`;
    // Zeroed when it was made; no volume is there.
    expect(await vm.shell.ok(`tail --bytes=1M ${store} | cmp --bytes=1048576 - /dev/zero && echo zeros`)).toBe("zeros\n");
    expect(await vm.shell.ok(`tail --bytes=64K ${facts().disk} | grep --count --text 'of someone' || :`)).toBe("0\n");
    await vm.shell.ok(CLOSE);
  }));

/** Where nothing is recorded, only the store partition, which meets every content. /var and the volume group depend on the store alone, and are inspected by the same runs. */
const groups = [
  ["the store partition"],
  ["the var partition", "the volume group"],
  ["an ext4 volume"],
  ["the xfs volume"],
  ["the swap volume"],
].map((titles) => ({ titles, title: titles.join(" and ") }));

test.for(isRecorded ? groups : groups.slice(0, 1))(
  "every conflict of the table is one, names what it is about, and touches nothing: $title",
  ({ titles }) =>
    node.use(async (vm) => {
      const intents = await intentsOf(vm);
      const guarded = titles.map((title) => {
        const place = places[title]?.(facts().disk);
        if (place === undefined) throw new Error(title);
        return { title, place, intent: intentIn(intents, place.intent) };
      });
      const results = await runSteps(vm, cellSteps(guarded), {
        devices: [...guarded.map(({ place }) => place.device), facts().twin],
        first: [...new Set(guarded.map(({ place }) => place.open)), ...guarded.map(({ place }) => save(place))].join("\n"),
        last: [...guarded.map(({ place, intent }) => restore(place, intent)), CLOSE].join("\n"),
      });
      for (const { place, intent } of guarded) {
        for (const [index, cell] of cellsHere(place).entries()) expectConflict(place, intent, cell, results.get(`cell ${index}`));
      }
    }),
);

function expectConflict(place: Place, intent: Intent, cell: Cell, result: StepResult | undefined): void {
  const name = `${place.device}: ${cellName(cell)}`;
  expect(result, name).toMatchObject({ status: 3, wroteDevice: false, wroteConfig: false });
  const { outcome, problem } = unitOf(result, place.unit);
  expect(outcome, name).toBe("failed");
  expect(problem, name).toMatchObject(conflictOf(place, cell, intent.uuid));
}
