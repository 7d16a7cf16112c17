import { readFileSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { machineId } from "../../../../src/units/identity/machine-id.ts";
import { type NamespaceMachine, namespaceMachine } from "../../../support/namespace-machine.ts";
import { surviveEveryCut } from "../../../support/power-cuts.ts";
import { runUnit } from "../../../support/run-unit.ts";

const ID = "0123456789abcdef0123456789abcdef\n";

function prepare(): NamespaceMachine {
  return namespaceMachine({ "/etc/machine-id": ID, "/boot/config/.keep": "" });
}

function expectWhole({ at }: NamespaceMachine): void {
  expect(readFileSync(at("/boot/config/machine-id"), "utf8")).toBe(ID);
  expect(statSync(at("/boot/config/machine-id")).mode & 0o777).toBe(0o444);
}

test("the id is saved, for all to read and none to write, and no tool is started", async () => {
  const machine = prepare();
  await runUnit(machineId, machine);
  expectWhole(machine);
  expect(machine.tools).toEqual([]);
  expect(await runUnit(machineId, machine)).toEqual([]);
});

test("a power cut at any effect is survived, with and without a reboot", async () => {
  expect(await surviveEveryCut(machineId, prepare, expectWhole)).toBe(1);
});
