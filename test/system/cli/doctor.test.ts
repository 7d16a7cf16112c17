import { expect, test } from "vitest";
import { Fixture } from "../../support/fixture-process.ts";

const NOBODY = 65534;

test("doctor names what a run would do, does nothing of it, and ends with 17", async () => {
  const fixture = new Fixture();
  const { status, stdout, stderr } = await fixture.run("doctor");
  expect([status, stderr]).toEqual([17, ""]);
  expect(stdout).toContain(`wrong: first is not in the state that the boot makes
  found    to be done: make the first file
  seen by  guestos-boot plan --unit first
  repair   guestos-boot --unit first
`);
  // A path of the test's folder is one word, which no line break can shorten.
  expect(stdout.split("\n").filter((line) => line.length > 80 && line.trim().includes(" "))).toEqual([]);
  expect((await fixture.run("plan")).status).toBe(11);
});

test("on a machine that is no node, each check is wrong or could not inspect: none is fine", async () => {
  const fixture = new Fixture();
  const { status, stdout } = await fixture.run("doctor", "--json");
  expect(status).toBe(17);
  const { sound, checks, findings } = JSON.parse(stdout) as {
    sound: boolean;
    checks: { name: string; outcome: string }[];
    findings: { check: string; level: string }[];
  };
  expect(sound).toBe(false);
  expect(checks.filter(({ outcome }) => outcome !== "wrong" && outcome !== "unknown")).toEqual([]);
  expect(new Set(findings.map(({ check }) => check))).toEqual(new Set(checks.map(({ name }) => name)));
  const levels = ["wrong", "unknown", "notice"];
  const order = findings.map(({ level }) => levels.indexOf(level));
  expect(order).toEqual(order.toSorted((one, other) => one - other));
});

test("doctor is for root, and refuses a chain that is not sound", async () => {
  const fixture = new Fixture();
  const refused = await fixture.start(["doctor"], { uid: NOBODY }).ended;
  expect(refused.status, refused.stderr).toBe(5);
  fixture.touch("unsound");
  expect((await fixture.run("doctor")).status).toBe(9);
});
