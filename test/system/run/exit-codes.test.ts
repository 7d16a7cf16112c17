import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Fixture } from "../../support/fixture-process.ts";

const NOBODY = 65534;

test("wrong usage ends with 2 and one clear line", async () => {
  const fixture = new Fixture();
  expect(await fixture.run("--jsn")).toMatchObject({
    status: 2,
    stdout: "",
    stderr: "guestos-boot: unknown option '--jsn'\n  to do    did you mean --json?\n",
  });
  expect(await fixture.run("stauts")).toMatchObject({
    status: 2,
    stderr: 'guestos-boot: there is no command "stauts"\n  to do    did you mean status?\n',
  });
  for (const args of [["--wait", "soon"], ["--stage", "middle"], ["status", "--boot", "x"], ["graph", "--format", "png"], ["--unit"]]) {
    expect((await fixture.run(...args)).status, args.join(" ")).toBe(2);
  }
});

test("an unknown unit ends with 4 and names the nearest one", async () => {
  const fixture = new Fixture();
  for (const command of ["run", "plan"]) {
    expect(await fixture.run(command, "--unit", "frist")).toMatchObject({
      status: 4,
      stderr: 'guestos-boot: there is no unit "frist"\n  to do    did you mean first?\n',
    });
  }
});

test("anyone but root ends with 5", async () => {
  const fixture = new Fixture();
  chmodSync(fixture.root, 0o777);
  for (const args of [[], ["plan"], ["doctor"]]) {
    const { status, stderr } = await fixture.start(args, { uid: NOBODY }).ended;
    expect(status, stderr).toBe(5);
    expect(stderr).toMatch(/^guestos-boot: only root may do this: /);
  }
  expect((await fixture.start(["list"], { uid: NOBODY }).ended).status).toBe(0);
});

test("a damaged record ends status with 7, and says where", async () => {
  const fixture = new Fixture();
  await fixture.run();
  const file = fixture.path("run/record.jsonl");
  const lines = readFileSync(file, "utf8").split("\n");
  writeFileSync(file, lines.with(2, lines[2]?.slice(0, 20) ?? "").join("\n"));
  const { status, stderr } = await fixture.run("status");
  expect(status).toBe(7);
  expect(stderr).toMatch(/^guestos-boot: the record is damaged$/m);
  expect(stderr).toContain(`${file}:3:`);
});

test("no record ends status with 8", async () => {
  const fixture = new Fixture();
  expect((await fixture.run("status")).status).toBe(8);
  await fixture.run();
  expect((await fixture.run("status")).status).toBe(0);
  expect(await fixture.run("status", "--boot", "-1")).toMatchObject({
    status: 8,
    stderr: expect.stringContaining("no record of a boot 1 before this one"),
  });
});

test("an unsound chain ends everything that would run it with 9", async () => {
  const fixture = new Fixture();
  fixture.touch("unsound");
  for (const args of [[], ["plan"], ["verify"], ["graph"]]) {
    const { status, stderr } = await fixture.run(...args);
    expect(status, args.join(" ")).toBe(9);
    expect(stderr).toContain("two units are named first");
  }
});

test("plan ends with 11 when there is something to do, with 0 when there is not", async () => {
  const fixture = new Fixture();
  const plan = await fixture.run("plan");
  expect(plan).toMatchObject({ status: 11, stderr: "" });
  expect(plan.stdout).toBe(`first                1 to do
  provision make the first file
strict               nothing to do
slow                 planned once first has run
patient              nothing to do
system-bus           nothing to do
lenient              nothing to do
plan: 6 units: 1 to do (1 action), 1 later, 4 nothing to do, 0 cannot
`);
  await fixture.run();
  expect((await fixture.run("plan")).status).toBe(0);
});

test("plan ends with 3 where a run would fail, and with 10 where it would degrade", async () => {
  const fixture = new Fixture();
  await fixture.run();
  fixture.touch("bad");
  expect((await fixture.run("plan")).status).toBe(10);
  fixture.touch("in-the-way");
  expect((await fixture.run("plan")).status).toBe(3);
});

test("a unit that the boot cannot do without, and that does all but a part, ends plan, run and status with 10", async () => {
  const fixture = new Fixture();
  await fixture.run();
  fixture.touch("part");
  for (const command of [["plan"], [], ["status"]]) expect(await fixture.run(...command)).toMatchObject({ status: 10 });
  expect(JSON.parse((await fixture.run("plan", "--json")).stdout)).toMatchObject({
    units: expect.arrayContaining([expect.objectContaining({ name: "strict", plan: "problem", partial: true })]),
  });
});

test("what was refused is a document too with --json", async () => {
  const fixture = new Fixture();
  const { status, stdout } = await fixture.run("--json", "--unit", "frist");
  expect(status).toBe(4);
  expect(JSON.parse(stdout)).toEqual({
    exitCode: 4,
    problem: { code: "unknown-unit", what: 'there is no unit "frist"', todo: "did you mean first?" },
  });
});

test("--help ends with 0, and so does each command's own", async () => {
  const fixture = new Fixture();
  for (const args of [["--help"], ["help"], ["help", "run"], ["plan", "--help"], ["status", "--help"], ["graph", "--help"]]) {
    const { status, stdout, stderr } = await fixture.run(...args);
    expect([status, stderr], args.join(" ")).toEqual([0, ""]);
    expect(stdout.split("\n").filter((line) => line.length > 82)).toEqual([]);
  }
});

test("a reader that goes away does not end a run", async () => {
  const fixture = new Fixture();
  const { process: child, ended } = fixture.start([]);
  child.stdout?.destroy();
  expect((await ended).status).toBe(0);
});
