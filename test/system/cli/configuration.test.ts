import { chmodSync, chownSync, rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { addExtraUnit, writeOwn } from "../../support/extra-units.ts";
import { Fixture } from "../../support/fixture-process.ts";

const SETTINGS = "units:\n  lenient: { off: true }\n  patient: { timeout: 30, onFailure: stop }\n";

test("what the file sets is in force, and verify names the file", async () => {
  const fixture = new Fixture();
  const file = writeOwn(fixture, "config.yaml", `layout:\n  versionFile: ${fixture.path("release")}\n${SETTINGS}`);
  writeFileSync(fixture.path("release"), "7.8.9\n");
  expect(await fixture.run("verify")).toMatchObject({
    status: 0,
    stdout: `guestos: the chain is sound: 5 units\nboundary: the chain is sound: 5 units\nhostos: the chain is sound: 5 units\nsetupos: the chain is sound: 5 units\nwith ${file}\n`,
  });
  const list = await fixture.run("list", "--json");
  expect(JSON.parse(list.stdout)).toMatchObject({
    units: [{ name: "first" }, {}, {}, { name: "patient", timeoutSeconds: 30 }, { name: "system-bus" }],
  });
  expect((await fixture.run()).stdout).toMatch(/run: 5 units: 1 changed, 4 unchanged/);
  expect((await fixture.run("status")).stdout).toContain("version 7.8.9");
  const unknown = await fixture.run("--unit", "lenient");
  expect(unknown).toMatchObject({ status: 4 });
  // What the monitor inspects by itself is not affected by a unit that it does not know.
  expect((await fixture.run("monitor", "--once", "--unit", "first", "--unit", "patient")).status).toBe(0);
});

test("an extra unit may be described in the file, and lie elsewhere", async () => {
  const fixture = new Fixture();
  const executable = addExtraUnit(fixture, "elsewhere", `echo '{"nothing":true}'`);
  writeOwn(fixture, "config.yaml", `extraUnits:\n  extra: { executable: ${executable}, title: Extra, requires: [lenient, elsewhere] }\n`);
  expect((await fixture.run("run", "--unit", "extra")).stdout).toMatch(/^extra {16}unchanged/m);
  writeOwn(fixture, "config.yaml", `extraUnits:\n  extra: { executable: ${executable}, title: Extra, requires: [lenint] }\n`);
  const { status, stderr } = await fixture.run("verify");
  expect(status).toBe(18);
  expect(stderr).toMatch(/the extra unit extra is left out: there is no unit lenint\s+at .*config\.yaml:2:/);
});

test("with a file that cannot be used, a boot goes on by the defaults, degraded, and everything for people says what is wrong and ends with 18", async () => {
  const fixture = new Fixture();
  const file = writeOwn(fixture, "config.yaml", "units:\n  lenient: { of: true }\n");
  for (const args of [["verify"], ["list"], ["plan"], ["graph"], [], ["--unit", "first"]]) {
    const { status, stderr } = await fixture.run(...args);
    expect(status, args.join(" ")).toBe(18);
    expect(stderr.replaceAll(/\s+/g, " ")).toContain(
      `there is no such key in units.lenient at ${file}:2:14 found "of" expected perhaps off to do`,
    );
  }
  const early = await fixture.run("run", "--stage", "early");
  expect(early.status).toBe(10);
  expect(early.stdout).toMatch(/^configuration {8}degraded/m);
  expect(early.stdout).toContain(`${file}:2:14`);
  expect(early.stdout).toMatch(/early: 5 units: 1 changed, 3 unchanged, 1 degraded, 0 failed/);
  expect((await fixture.run("run", "--stage", "late")).stdout).toMatch(/^lenient {14}unchanged/m);
  // What helps to find out, or to get away from here, works.
  expect((await fixture.run("doctor")).stdout).toContain("there is no such key in units.lenient");
  const status = await fixture.run("status");
  expect(status.status).toBe(10);
  expect(status.stdout).toMatch(/^degraded: the node is usable, without configuration$/m);
  expect((await fixture.run("why", "configuration")).stdout).toContain("there is no such key");
  expect((await fixture.run("monitor", "--once", "--unit", "configuration")).status).toBe(10);
  expect((await fixture.run("complete", "--", "guestos-boot", "--unit", "len")).stdout).toMatch(/^lenient\t/);
  rmSync(file);
  expect((await fixture.run()).status).toBe(0);
});

test("a file that others than root may write is not read", async () => {
  const fixture = new Fixture();
  const file = writeOwn(fixture, "config.yaml", SETTINGS);
  chmodSync(file, 0o666);
  expect(await fixture.run("verify")).toMatchObject({ status: 18, stderr: expect.stringMatching(/mode 0666: others may write to it/) });
  chmodSync(file, 0o644);
  chownSync(fixture.path("own"), 65534, 0);
  expect(await fixture.run("verify")).toMatchObject({ status: 18, stderr: expect.stringMatching(/it belongs to user 65534/) });
  chownSync(fixture.path("own"), 0, 0);
  expect((await fixture.run("verify")).status).toBe(0);
});
