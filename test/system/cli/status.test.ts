import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Fixture, STRICT_FAILED } from "../../support/fixture-process.ts";

const OTHER = "00000000-0000-4000-8000-000000000001";

/** Makes this boot's record one of a boot before. */
function keepAsOlderBoot(fixture: Fixture): void {
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const record = readFileSync(fixture.path("run/record.jsonl"), "utf8").replaceAll(bootId, OTHER);
  mkdirSync(fixture.path("var/boots"));
  writeFileSync(fixture.path(`var/boots/20260101T000000Z-${OTHER}.jsonl`), record);
}

test("status shows the runs, the table and what failed, and ends as the boot did", async () => {
  const fixture = new Fixture();
  writeFileSync(fixture.path("version.txt"), "1.2.3\n");
  fixture.touch("in-the-way");
  fixture.touch("odd");
  await fixture.run("run", "--stage", "boot");
  await fixture.run("run", "--stage", "late");
  const { status, stdout } = await fixture.run("status");
  expect(status).toBe(3);
  const text = stdout
    .replaceAll(fixture.root, "")
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, "TIME")
    .replaceAll(/\d+\.\d+ s/g, "N s")
    .replace(/^boot [0-9a-f-]{36}/m, "boot ID");
  expect(text).toBe(`failed: strict; skipped lenient
boot ID, TIME
slot unknown, version 1.2.3
  boot  at TIME: failed in N s
  late  at TIME: failed in N s

first                changed   N s — 1 provisioned
strict               failed    N s — something is in the way
slow                 unchanged N s
patient              unchanged N s
system-bus           unchanged N s
lenient              skipped   N s — requires strict

${STRICT_FAILED}

boot: 6 units: 1 changed, 3 unchanged, 0 degraded, 1 failed, 1 skipped in N s
`);
});

test("--boot 1 is the boot before, and -1 means the same", async () => {
  const fixture = new Fixture();
  fixture.touch("bad");
  await fixture.run();
  keepAsOlderBoot(fixture);
  fixture.touch("in-the-way");
  await fixture.run();
  expect((await fixture.run("status")).status).toBe(3);
  for (const boot of ["1", "-1"]) {
    const { status, stdout } = await fixture.run("status", "--boot", boot, "--json");
    expect(status).toBe(10);
    expect(JSON.parse(stdout)).toMatchObject({ bootId: OTHER, outcome: "degraded", runs: [{ run: "run" }], torn: false });
  }
  expect(await fixture.run("status", "--boot", "2")).toMatchObject({ status: 8, stderr: expect.stringContaining("2 records") as string });
});

test("before anything has run in this boot, status shows the last one that left a record", async () => {
  const fixture = new Fixture();
  await fixture.run();
  keepAsOlderBoot(fixture);
  const other = new Fixture();
  mkdirSync(other.path("var/boots"));
  const name = `20260101T000000Z-${OTHER}.jsonl`;
  writeFileSync(other.path(`var/boots/${name}`), readFileSync(fixture.path(`var/boots/${name}`)));
  expect(await other.run("status")).toMatchObject({ status: 0, stdout: expect.stringContaining(`boot ${OTHER}`) as string });
});

test("a last line that is being written does not keep status from the rest", async () => {
  const fixture = new Fixture();
  await fixture.run();
  const file = fixture.path("run/record.jsonl");
  writeFileSync(file, `${readFileSync(file, "utf8")}{"event":"star`);
  const { status, stdout } = await fixture.run("status");
  expect(status).toBe(0);
  expect(stdout).toContain("the last line of the record is incomplete");
});

test("the first line is the verdict, also of a boot that goes well, or on without something", async () => {
  const fixture = new Fixture();
  await fixture.run();
  expect((await fixture.run("status")).stdout.split("\n")[0]).toBe("done: nothing is missing or wrong");
  fixture.touch("part");
  await fixture.run();
  expect(await fixture.run("status")).toMatchObject({
    status: 10,
    stdout: expect.stringMatching(/^degraded: the node is usable, without a part of strict\n/),
  });
  fixture.touch("bad");
  rmSync(fixture.path("part"));
  await fixture.run();
  expect((await fixture.run("status")).stdout.split("\n")[0]).toBe("degraded: the node is usable, without lenient");
});

test("--watch shows a boot while it goes on, from its first line, and ends with it", async () => {
  const fixture = new Fixture();
  const watching = fixture.run("status", "--watch");
  fixture.touch("hold");
  fixture.touch("bad");
  const boot = fixture.run("run", "--stage", "boot");
  await fixture.appears("holding");
  rmSync(fixture.path("hold"));
  await boot;
  const { status, stdout } = await watching;
  expect(status).toBe(10);
  expect(stdout).toMatch(/^boot, started .*\n(.*\n)*first +changed .*\n(.*\n)*lenient +degraded .*\n(.*\n)*boot: 6 units: /);
});

test("--watch ends with 13 when the run that it follows was killed", async () => {
  const fixture = new Fixture();
  fixture.touch("hold");
  const boot = fixture.start(["run", "--stage", "boot"]);
  await fixture.appears("holding");
  const watching = fixture.run("status", "--watch");
  boot.process.kill("SIGKILL");
  expect(await watching).toMatchObject({ status: 13, stdout: expect.stringContaining("boot: was cut off before its end") as string });
});
