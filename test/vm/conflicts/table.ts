import { expect, test } from "vitest";
import { type Intent } from "../../../src/config/state/intent.ts";
import { type Cell, cellName, cellSteps, conflictCells, type Place, restore, save } from "../support/two-keys.ts";
import { runSteps, type StepResult } from "../support/workbench.ts";
import {
  ALL_MARKERS,
  CLOSE,
  document,
  facts,
  fullRun,
  identities,
  intentIn,
  INTENTS,
  intentsOf,
  node,
  unitOf,
  uuidsOf,
  volumeDevice,
} from "./story.ts";

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

/** A place, once it is known which disk is the node's; and what must be open before it can be inspected. */
type PlaceOf = (disk: string) => Place & { readonly open: string };

const OPEN_STORE = "guestos-boot --unit store-key >&2";
const OPEN_VOLUMES = "guestos-boot --unit volumes >&2";

const places: Readonly<Record<string, PlaceOf>> = {
  "the store partition": (disk) => ({
    ...{ intent: "store", unit: "store-key", device: `${disk}10`, uuid: { offset: 168, as: "text" }, raw: true, everyKind: true, open: "" },
    foreign: { script: `mkswap --quiet ${disk}10`, type: "swap" },
  }),
  "the var partition": (disk) => ({
    ...{ intent: "var-A", unit: "var", device: `${disk}6`, uuid: { offset: 168, as: "text" }, raw: true, open: OPEN_STORE },
    foreign: { script: `mkfs.vfat -F 32 ${disk}6 >/dev/null`, type: "vfat" },
  }),
  "the volume group": (disk) => {
    const device = `/dev/mapper/${disk.slice("/dev/".length)}10-crypt`;
    // LVM's label is in the second sector.
    return {
      ...{ intent: "volumes", unit: "volumes", device, uuid: { offset: 512 + 32, as: "text" }, raw: false, open: OPEN_STORE },
      foreign: { script: `mkswap --quiet ${device}`, type: "swap" },
    };
  },
  "an ext4 volume": () => volumePlace("shared-crypto", 1024 + 0x68, "swap"),
  "the xfs volume": () => volumePlace("shared-data", 32, "swap"),
  "the swap volume": () => volumePlace("shared-swap", 1024 + 12, "vfat"),
};

function volumePlace(name: string, offset: number, type: "swap" | "vfat"): ReturnType<PlaceOf> {
  const device = volumeDevice(name);
  const script = type === "swap" ? `mkswap --quiet ${device}` : `mkfs.vfat -F 32 ${device} >/dev/null`;
  const unit = "volume-filesystems";
  return {
    intent: `filesystem-${name}`,
    unit,
    device,
    uuid: { offset, as: "binary" },
    raw: false,
    open: OPEN_VOLUMES,
    foreign: { script, type },
  };
}

/** /var and the volume group depend on the store alone, and are inspected by the same runs. */
const groups = [
  ["the store partition"],
  ["the var partition", "the volume group"],
  ["an ext4 volume"],
  ["the xfs volume"],
  ["the swap volume"],
].map((titles) => ({ titles, title: titles.join(" and ") }));

test.for(groups)("every conflict of the table is one, names what it is about, and touches nothing: $title", ({ titles }) =>
  node.use(async (vm) => {
    const intents = await intentsOf(vm);
    const guarded = titles.map((title) => {
      const place = places[title]?.(facts().disk);
      if (place === undefined) throw new Error(title);
      return { place, intent: intentIn(intents, place.intent) };
    });
    const results = await runSteps(vm, cellSteps(guarded), {
      devices: [...guarded.map(({ place }) => place.device), facts().twin],
      first: [...new Set(guarded.map(({ place }) => place.open)), ...guarded.map(({ place }) => save(place))].join("\n"),
      last: [...guarded.map(({ place, intent }) => restore(place, intent)), CLOSE].join("\n"),
    });
    for (const { place, intent } of guarded) {
      for (const [index, cell] of conflictCells(place).entries()) expectConflict(place, intent, cell, results.get(`cell ${index}`));
    }
  }),
);

function expectConflict(place: Place, intent: Intent, { phase, content }: Cell, result: StepResult | undefined): void {
  const name = `${place.device}: ${cellName({ phase, content })}`;
  expect(result, name).toMatchObject({ status: 3, wroteDevice: false, wroteConfig: false });
  const { outcome, problem } = unitOf(result, place.unit);
  expect(outcome, name).toBe("failed");
  expect(problem?.what, name).toContain(place.device);
  expect(problem?.what, name).toMatch(/does not hold what it should; it was not changed$/);
  const found = {
    ours: intent.uuid,
    // LVM writes its identifiers in groups.
    "other-uuid": place.unit === "volumes" ? "0f0f0f-0f" : "0f0f0f0f",
    blank: "nothing",
    foreign: place.foreign.type,
    unknown: "data without a signature that is known",
  };
  expect(problem?.found, name).toContain(found[content]);
  const expected = { none: /^nothing, as on a node/, begun: /begun before$/, complete: /made and completed before$/ };
  expect(problem?.expected, name).toMatch(expected[phase]);
  if (phase !== "none") expect(problem?.expected, name).toContain(intent.uuid);
  expect(problem?.todo, name).toMatch(/docs\/operator\.md, 'Conflicts'/);
}
