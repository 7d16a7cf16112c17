import { expect, test } from "vitest";
import { defineUnit, type Unit } from "../../../src/boot/unit.ts";
import { selectUnits } from "../../../src/run/select-units.ts";

type Any = Unit<object>;
const unit = (name: string, requires: readonly Any[] = [], extra: Partial<Any> = {}): Any =>
  defineUnit<object>({ name, title: name, requires, plan: async () => [], ...extra });

const boot = unit("mount-boot");
const key = unit("store-key", [boot]);
const config = unit("config-injection", [boot]);
const network = unit("network", [config]);
const bus = unit("system-bus");
const exporter = unit("node-exporter", [config, bus], { after: [network] });
const chain = [boot, key, config, network, bus, exporter];

const names = (selection: Parameters<typeof selectUnits>[1]): object => {
  const { units, prerequisites } = selectUnits(chain, selection);
  return { units: units.map(({ name }) => name), prerequisites: [...prerequisites] };
};

test("without names it is the whole chain", () => {
  expect(names({ units: [] })).toEqual({
    units: ["mount-boot", "store-key", "config-injection", "network", "system-bus", "node-exporter"],
    prerequisites: [],
  });
});

test("a unit brings what it requires, in chain order, and not what it only follows", () => {
  expect(names({ units: ["node-exporter"] })).toEqual({
    units: ["mount-boot", "config-injection", "system-bus", "node-exporter"],
    prerequisites: ["mount-boot", "config-injection", "system-bus"],
  });
});

test("a half of the boot brings what its units require of the other", () => {
  expect(names({ stage: "boot", units: [] })).toEqual(names({ units: [] }));
  expect(names({ stage: "early", units: [] })).toEqual({
    units: ["mount-boot", "store-key", "config-injection", "network"],
    prerequisites: [],
  });
  expect(names({ stage: "late", units: [] })).toEqual({
    units: ["mount-boot", "config-injection", "system-bus", "node-exporter"],
    prerequisites: ["mount-boot", "config-injection"],
  });
});

test("a requirement that was asked for by name is no mere prerequisite", () => {
  expect(names({ units: ["network", "config-injection"] })).toMatchObject({ prerequisites: ["mount-boot"] });
});

test("an unknown name is refused with the nearest one, or none", () => {
  expect(() => selectUnits(chain, { units: ["netwrok"] })).toThrow(
    expect.objectContaining({
      exit: "unknownUnit",
      problem: { code: "unknown-unit", what: 'there is no unit "netwrok"', todo: "did you mean network?" },
    }),
  );
  expect(() => selectUnits(chain, { units: ["\u001b[2J"] })).toThrow(
    expect.objectContaining({ problem: { code: "unknown-unit", what: 'there is no unit "\\u001b[2J"', todo: "see guestos-boot list" } }),
  );
});
