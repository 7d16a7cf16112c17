import { expect, test } from "vitest";
import { machineId, parseMachineId } from "../../../../src/units/identity/machine-id.ts";
import { fakeHost } from "../../../support/fake-host.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { testMachine } from "../../../support/test-machine.ts";

const ID = "0123456789abcdef0123456789abcdef";
const OTHER = "fedcba9876543210fedcba9876543210";

function machine(files: Readonly<Record<string, string>>) {
  return testMachine(fakeHost({ files }));
}

test("the running id is saved when none is", async () => {
  const subject = machine({ "/etc/machine-id": `${ID}\n` });
  expect(await runUnit(machineId, subject)).toEqual(["save the machine id"]);
  expect(subject.host.effects).toEqual(["write 444 /boot/config/machine-id"]);
  expect(subject.host.files.get("/boot/config/machine-id")).toBe(`${ID}\n`);
});

test("nothing is done when the running id is the saved one", async () => {
  const subject = machine({ "/etc/machine-id": `${ID}\n`, "/boot/config/machine-id": ID });
  expect(await runUnit(machineId, subject)).toEqual([]);
});

test.each([
  ["", "an empty file"],
  [ID.slice(1), "something else"],
  [ID.toUpperCase(), "something else"],
  [`${"0".repeat(32)}\n`, "something else"],
  [`${ID}\n${OTHER}\n`, "something else"],
  ["\0".repeat(33), "something else"],
])("a saved id that is none is replaced: %j", async (saved, words) => {
  const subject = machine({ "/etc/machine-id": `${ID}\n`, "/boot/config/machine-id": saved });
  expect(await runUnit(machineId, subject)).toEqual([`save the machine id (what was saved is ${words})`]);
  expect(subject.host.files.get("/boot/config/machine-id")).toBe(`${ID}\n`);
});

test("another saved id is a conflict: neither is touched, and neither is shown whole", async () => {
  const subject = machine({ "/etc/machine-id": `${ID}\n`, "/boot/config/machine-id": `${OTHER}\n` });
  const plan = await machineId.plan(subject);
  expect(plan).toMatchObject({ conflict: { found: "fedcba98… saved, 01234567… running", todo: expect.stringContaining("hook") } });
  expect(JSON.stringify(plan)).not.toContain(ID);
  expect(subject.host.effects).toEqual([]);
});

test.each([
  ["", "an empty file"],
  ["uninitialized\n", '"uninitialized"'],
])("a system without an id is an error that shows what is there: %j", async (running, words) => {
  const subject = machine({ "/etc/machine-id": running, "/boot/config/machine-id": `${OTHER}\n` });
  await expect(machineId.plan(subject)).rejects.toMatchObject({ problem: { found: words, where: { file: "/etc/machine-id" } } });
});

test("a system without the file is an error, too", async () => {
  await expect(machineId.plan(machine({}))).rejects.toMatchObject({ problem: { found: "no such file" } });
});

test("an id is 32 hexadecimal digits, with or without the newline", () => {
  expect(parseMachineId(ID)).toBe(ID);
  expect(parseMachineId(`${ID}\n\n`)).toBeUndefined();
  expect(parseMachineId(` ${ID}`)).toBeUndefined();
  expect(parseMachineId(`${ID.slice(1)}g`)).toBeUndefined();
});
