import { readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { parseRecord } from "../../../src/boot/record/read-record.ts";
import { Fixture, STRICT_FAILED } from "../../support/fixture-process.ts";

const seconds = /\d+\.\d+ s/g;

test("a run changes what is missing, and the next one finds nothing to do", async () => {
  const fixture = new Fixture();
  const one = await fixture.run();
  expect(one).toMatchObject({ status: 0, stderr: "" });
  expect(one.stdout).toMatch(/^first {16}changed {3}\d+\.\d\d s — 1 provisioned$/m);
  expect(one.stdout.trimEnd().split("\n").at(-1)?.replaceAll(seconds, "N s")).toBe(
    "run: 6 units: 1 changed, 5 unchanged, 0 degraded, 0 failed, 0 skipped in N s",
  );
  const two = await fixture.run();
  expect(two.status).toBe(0);
  expect(two.stdout).toMatch(/run: 6 units: 0 changed, 6 unchanged/);
});

test("a failed unit ends the run with 3, and its last lines say what to do and what was skipped for it", async () => {
  const fixture = new Fixture();
  fixture.touch("in-the-way");
  const { status, stdout } = await fixture.run();
  expect(status).toBe(3);
  expect(stdout.slice(stdout.indexOf("\n\n")).replaceAll(seconds, "N s").replaceAll(fixture.root, "")).toBe(`

${STRICT_FAILED}

run: 6 units: 1 changed, 3 unchanged, 0 degraded, 1 failed, 1 skipped in N s
`);
});

test("a unit that the boot can do without ends the run with 10", async () => {
  const fixture = new Fixture();
  fixture.touch("bad");
  fixture.touch("odd");
  const { status, stdout } = await fixture.run("run", "--stage", "late");
  expect(status).toBe(10);
  expect(stdout).toMatch(/^note from lenient: there is something odd$/m);
  expect(stdout).toMatch(/^late: 2 units: 0 changed, 1 unchanged, 1 degraded, 0 failed, 0 skipped in \d+\.\d s$/m);
});

test("a half of the boot takes in what its units require, and shows it only when something had to be done", async () => {
  const fixture = new Fixture();
  expect((await fixture.run("run", "--stage", "late")).stdout).not.toMatch(/^strict/m);
  fixture.touch("in-the-way");
  const { status, stdout } = await fixture.run("run", "--stage", "late");
  expect(status).toBe(3);
  expect(stdout).toMatch(/^strict {15}failed/m);
  expect(stdout).toMatch(/^late: 3 units: /m);
});

test("--unit runs that unit and what it requires, and nothing else", async () => {
  const fixture = new Fixture();
  const { status, stdout } = await fixture.run("--unit", "slow", "--unit", "strict");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^first {16}changed/m);
  expect(stdout).toMatch(/^run: 3 units: 1 changed, 2 unchanged/m);
  expect(stdout).not.toMatch(/patient|lenient/);
});

test("--json prints one document and nothing else", async () => {
  const fixture = new Fixture();
  fixture.touch("bad");
  const { status, stdout } = await fixture.run("--json");
  expect(status).toBe(10);
  expect(JSON.parse(stdout)).toMatchObject({
    run: "run",
    outcome: "degraded",
    counts: { changed: 1, unchanged: 4, degraded: 1, failed: 0, skipped: 0 },
    units: [
      { name: "first", outcome: "changed", provisioned: ["make the first file"], requires: [] },
      { name: "strict", outcome: "unchanged" },
      { name: "slow", requires: ["first"] },
      { name: "patient" },
      { name: "system-bus", outcome: "unchanged" },
      { name: "lenient", outcome: "degraded", problem: { what: "a file named bad" } },
    ],
  });
});

test("runs of one boot follow each other in one record that root writes and its readers alone can read", async () => {
  const fixture = new Fixture();
  await fixture.run("run", "--stage", "early");
  await fixture.run("run", "--stage", "late");
  const file = fixture.path("run/record.jsonl");
  expect(statSync(file)).toMatchObject({ mode: 0o100640, uid: 0, gid: 4 });
  const { runs, torn } = parseRecord(readFileSync(file, "utf8"), file);
  expect(runs.map(({ facts: { stage }, end }) => [stage, end?.outcome])).toEqual([
    ["early", "done"],
    ["late", "done"],
  ]);
  expect(torn).toBe(false);
});

test("a line that a killed run left half written is cut off by the next one", async () => {
  const fixture = new Fixture();
  await fixture.run();
  const file = fixture.path("run/record.jsonl");
  writeFileSync(file, `${readFileSync(file, "utf8")}{"event":"star`);
  await fixture.run();
  expect(parseRecord(readFileSync(file, "utf8"), file).runs).toHaveLength(2);
});

test("the record is kept on /var, one file a boot, when /var is mounted", async () => {
  const fixture = new Fixture();
  await fixture.run();
  expect(readdirSync(fixture.path("var"))).toEqual([]);
  spawnSync("mount", ["-t", "tmpfs", "tmpfs", fixture.path("var")]);
  await fixture.run();
  await fixture.run();
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const [kept, ...others] = readdirSync(fixture.path("var/boots"));
  expect(others).toEqual([]);
  expect(kept).toMatch(new RegExp(`^\\d{8}T\\d{6}Z-${bootId}\\.jsonl$`));
  expect(readFileSync(fixture.path(`var/boots/${kept}`), "utf8")).toBe(readFileSync(fixture.path("run/record.jsonl"), "utf8"));
});

test("a run goes on without a record when it cannot be written, and says so", async () => {
  const fixture = new Fixture();
  await fixture.run();
  unlinkSync(fixture.path("run/record.jsonl"));
  spawnSync("mkdir", [fixture.path("run/record.jsonl")]);
  const { status, stderr } = await fixture.run();
  expect(status).toBe(0);
  expect(stderr).toMatch(/^the record of this run is incomplete: .*EISDIR/);
});
