import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseRecord } from "../../../src/boot/record/read-record.ts";
import { Fixture } from "../../support/fixture-process.ts";

test.each([
  ["SIGTERM", 143],
  ["SIGINT", 130],
  ["SIGHUP", 143],
] as const)("%s stops the tools, ends the run with %i, and the record is complete", async (name, code) => {
  const fixture = new Fixture();
  fixture.touch("sleep");
  const { process: child, ended } = fixture.start([]);
  await fixture.appears("sleeping");
  const told = performance.now();
  child.kill(name);
  const { status, stdout } = await ended;
  expect(status).toBe(code);
  // The promise is 5 s; the sleep itself would take a minute.
  expect(performance.now() - told).toBeLessThan(15_000);
  expect(stdout).toMatch(/^slow failed$/m);
  expect(stdout).toMatch(/was stopped before it ended/);
  expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^run: 6 units: /);
  const file = fixture.path("run/record.jsonl");
  const { events, runs } = parseRecord(readFileSync(file, "utf8"), file);
  expect(runs[0]?.end?.outcome).toBe("stopped");
  const open = new Set<number>();
  for (const event of events) {
    if (event.event === "started") open.add(event.span);
    if (event.event === "ended") open.delete(event.span);
  }
  expect([...open]).toEqual([]);
  const tool = events.find((event) => event.event === "ended" && event.outcome.kind === "tool");
  expect(tool).toMatchObject({ outcome: { ending: { kind: "cancelled" } } });
});

test("a run that was killed shows as cut off", async () => {
  const fixture = new Fixture();
  fixture.touch("sleep");
  const { process: child } = fixture.start([]);
  await fixture.appears("sleeping");
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
  const { status, stdout } = await fixture.run("status");
  expect(status).toBe(13);
  expect(stdout).toMatch(/: was cut off before its end$/m);
  expect(JSON.parse((await fixture.run("status", "--json")).stdout)).toMatchObject({ outcome: "cut off" });
});
