import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as documents from "../../../src/analyze/documents.ts";
import { Fixture } from "../../support/fixture-process.ts";
import { elementsOf } from "../../support/markup.ts";

const NOBODY = 65_534;

test("diff takes numbers of boots, and this boot when only one is named", async () => {
  const fixture = new Fixture();
  await fixture.run();
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const other = "00000000-0000-4000-8000-000000000001";
  mkdirSync(fixture.path("var/boots"), { recursive: true });
  const record = readFileSync(fixture.path("run/record.jsonl"), "utf8");
  writeFileSync(fixture.path(`var/boots/20260101T000000Z-${other}.jsonl`), record.replaceAll(bootId, other));
  const lines = (await fixture.run("analyze", "diff", "1")).stdout.split("\n");
  expect(lines[0]).toContain("from boot 00000000 ");
  expect(lines[1]).toContain(`to   boot ${bootId.slice(0, 8)} `);
});

test("what is run and measured in this boot can be inspected by root and its readers alone; a file by everyone who may read it", async () => {
  const fixture = new Fixture();
  await fixture.run();
  expect(await fixture.run("analyze", "blame")).toMatchObject({ status: 0, stdout: expect.stringContaining("slow") as string });
  expect(await fixture.start(["analyze", "blame"], { uid: NOBODY }).ended).toMatchObject({ status: 5 });
});

test("why tells of a failure what was found and what was skipped for it", async () => {
  const fixture = new Fixture();
  fixture.touch("in-the-way");
  await fixture.run();
  const { status, stdout } = await fixture.run("why", "strict");
  expect(status).toBe(0);
  expect(stdout).toContain("strict: Refuse a file named in-the-way\n");
  expect(stdout).toContain("why    something is in the way");
  expect(stdout).toContain("cost   skipped because of it: lenient");
  const json = JSON.parse((await fixture.run("why", "lenient", "--json")).stdout) as unknown;
  expect(documents.WhyDocument.parse(json)).toMatchObject({
    stories: [
      {
        outcome: "skipped",
        waitedFor: expect.arrayContaining([expect.objectContaining({ name: "strict", outcome: "failed" })]) as unknown,
      },
    ],
  });
});

test("the graph is a picture of what would run, or of how it ran", async () => {
  const fixture = new Fixture();
  const planned = (await fixture.run("graph", "--svg")).stdout;
  expect(elementsOf(planned.trim())).toContain("svg");
  expect(planned).not.toContain("unchanged,");
  fixture.touch("in-the-way");
  await fixture.run();
  const ran = (await fixture.run("graph", "--svg", "--boot", "0")).stdout;
  elementsOf(ran.trim());
  expect(ran).toContain(">skipped</text>");
  expect(ran).toMatch(/>failed, \d+\.\d\d s<\/text>/);
});
