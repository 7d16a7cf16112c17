import { readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Fixture } from "../../support/fixture-process.ts";
import { HASH } from "../../support/slot-machine.ts";

const FILE = "collector/guestos-boot.prom";
const metrics = (fixture: Fixture): string => readFileSync(fixture.path(FILE), "utf8");

test("each stage of a boot leaves the metrics as they then are, and no half-written file", async () => {
  const fixture = new Fixture();
  await fixture.run("run", "--stage", "early");
  expect(metrics(fixture)).toContain('guestos_unit_result{unit="first",result="changed"} 1');
  expect(metrics(fixture)).not.toContain('unit="lenient"');
  fixture.touch("bad");
  await fixture.run("run", "--stage", "late");
  expect(metrics(fixture)).toContain('guestos_unit_result{unit="lenient",result="degraded"} 1');
  expect(metrics(fixture)).toMatch(/guestos_unit_failure_info\{unit="lenient",code="[a-z-]+"\} 1/);
  expect(metrics(fixture)).toContain('guestos_unit_result{unit="first",result="changed"} 1');
  expect(readdirSync(fixture.path("collector"))).toEqual(["guestos-boot.prom"]);
  expect(statSync(fixture.path(FILE)).mode & 0o777).toBe(0o640);
});

test("a run that was stopped leaves metrics too", async () => {
  const fixture = new Fixture();
  fixture.touch("sleep");
  const { process: run, ended } = fixture.start(["run"]);
  await fixture.appears("sleeping");
  run.kill("SIGTERM");
  expect((await ended).status).toBe(143);
  expect(metrics(fixture)).toMatch(/guestos_unit_result\{unit="slow",result="(failed|skipped)"\} 1/);
});

test("metrics that cannot be written are a note, and the run ends as it would", async () => {
  const fixture = new Fixture();
  rmdirSync(fixture.path("collector"));
  writeFileSync(fixture.path("collector"), "");
  const { status, stdout, stderr } = await fixture.run();
  expect(status).toBe(0);
  expect(stdout).toMatch(/run: 6 units: 1 changed, 5 unchanged/);
  expect(stderr).toMatch(/^the metrics of this node are not up to date: .*ENOTDIR.*collector.*\n$/);
});

test("a run by hand that finds nothing to do writes them only where they say that something is wrong", async () => {
  const fixture = new Fixture();
  await fixture.run();
  const written = statSync(fixture.path(FILE)).ino;
  await fixture.run();
  expect(statSync(fixture.path(FILE)).ino).toBe(written);
  fixture.touch("bad");
  await fixture.run();
  expect(metrics(fixture)).toContain('guestos_boot_outcome{outcome="degraded"} 1');
  rmSync(fixture.path("bad"));
  await fixture.run();
  expect(metrics(fixture)).toContain('guestos_boot_outcome{outcome="done"} 1');
});

test("a command that changes what is known of the slots writes the metrics again", async () => {
  const fixture = new Fixture();
  await fixture.run("upgrade", "forget", HASH);
  expect(metrics(fixture)).toContain("guestos_metrics_source_readable");
});
