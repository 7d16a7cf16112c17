import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Fixture } from "../../support/fixture-process.ts";

const OBSERVED = "run/observed.jsonl";

test("a run that is asked to writes down what its units read and write, and verify finds that all of it was declared", async () => {
  const silent = new Fixture();
  expect((await silent.run()).status).toBe(0);
  expect(existsSync(silent.path(OBSERVED))).toBe(false);

  const fixture = new Fixture();
  expect((await fixture.start(["--unit", "first"], { env: { GUESTOS_OBSERVE: "1" } }).ended).status).toBe(0);
  const file = fixture.path(OBSERVED);
  const lines = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as object);
  expect(lines[0]).toEqual({ run: { version: "unknown", profile: "guestos", configuration: [] } });
  expect(lines.filter((line) => "kind" in line)).toEqual([{ unit: "first", kind: "write", path: fixture.path("made-first") }]);
  expect(lines.filter((line) => "decision" in line)).toEqual([
    { unit: "first", plan: 1, decision: { kind: "actions", actions: ["make the first file"] } },
    { unit: "first", plan: 2, decision: { kind: "actions", actions: [] } },
  ]);
  expect((statSync(file).mode & 0o007).toString(8)).toBe("0");
  expect(await fixture.run("verify", "--record", file)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^guestos: the chain is sound/),
  });
});

test("a unit that writes what it does not own, and one that reads in no order with the writer, end it with 9, by name", async () => {
  const fixture = new Fixture();
  const file = fixture.path("observed.jsonl");
  const lines = [
    { unit: "slow", kind: "write", path: fixture.path("sleeping"), place: "src/units/slow.ts:12" },
    { unit: "slow", kind: "read", path: fixture.path("made-first") },
    { unit: "strict", kind: "read", path: fixture.path("made-first") },
  ];
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const { status, stdout, stderr } = await fixture.run("verify", "--record", file);
  expect(status).toBe(9);
  const told = stderr.replaceAll(/\s+/g, " ");
  expect(told).toContain(`guestos: slow writes ${fixture.path("sleeping")}, which it does not own`);
  expect(told).toContain("src/units/slow.ts:12");
  expect(told).toContain(`guestos: strict reads ${fixture.path("made-first")}, which first owns, in no order with it`);
  expect(told).not.toContain("slow reads");
  // The other profiles have not run here.
  expect(stdout).toMatch(/^boundary: the chain is sound/);
  const json = JSON.parse((await fixture.run("verify", "--json", "--record", file)).stdout) as { problems: { code: string }[] };
  expect(json.problems.map(({ code }) => code)).toEqual(["unit-writes-unowned", "unit-reads-unordered"]);
});

test("replay names each plan that is another one now, and ends with 19; the same plans end it with 0", async () => {
  const fixture = new Fixture();
  const file = fixture.path("observed.jsonl");
  // This unit looks at the file itself, and not through its host: there is none now.
  const decided = (actions: readonly string[]) => ({ unit: "first", plan: 1, decision: { kind: "actions", actions } });
  const run = { run: { version: "7.8.9", profile: "guestos", configuration: ["/etc/guestos-boot/guestos-boot.conf"] } };
  const write = (...lines: readonly object[]): void => writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  write(run, decided([]), { ...decided([]), unit: "gone" });
  const other = await fixture.run("replay", file);
  expect(other).toMatchObject({ status: 19, stderr: "" });
  expect(other.stdout).toBe(`recorded by version 7.8.9, profile guestos
note: that machine had /etc/guestos-boot/guestos-boot.conf; here it is not taken into account
note: this version has no unit gone
first, plan 1: differs
  recorded nothing to do
  now      make the first file
replay: 1 plans: 0 the same, 1 differ, 0 not decided
`);
  write(run, decided(["make the first file"]));
  const same = await fixture.run("replay", "--json", file);
  expect(same.status).toBe(0);
  expect(JSON.parse(same.stdout)).toMatchObject({ ...run, plans: [{ kind: "same", unit: "first" }], unknownUnits: [] });
  write(run, { unit: "first", plan: 1, call: "readText", args: [], answer: { all: "of it" } });
  expect(await fixture.run("replay", file)).toMatchObject({
    status: 12,
    stderr: expect.stringMatching(/is not what a run has\s+observed/),
  });
});

test("a file of several runs is replayed run by run", async () => {
  const fixture = new Fixture();
  const env = { GUESTOS_OBSERVE: "1" };
  await fixture.start(["--unit", "strict"], { env }).ended;
  fixture.touch("in-the-way");
  await fixture.start(["--unit", "strict"], { env }).ended;
  const { stdout } = await fixture.run("replay", "--json", fixture.path(OBSERVED));
  const { plans } = JSON.parse(stdout) as { readonly plans: readonly { readonly unit: string; readonly plan: number }[] };
  expect(plans.filter(({ unit }) => unit === "strict").map(({ plan }) => plan)).toEqual([1, 2]);
});

test.each([
  ["no JSON", "{"],
  ["another line", '{"unit":"first","kind":"dance","path":"/x"}'],
])("a file of something else is refused, with its line: %s", async (_, text) => {
  const fixture = new Fixture();
  const file = fixture.path("observed.jsonl");
  writeFileSync(file, `{"unit":"first","kind":"read","path":"/x"}\n${text}\n`);
  const { status, stderr } = await fixture.run("verify", "--record", file);
  expect(status).not.toBe(0);
  expect(stderr.replaceAll(/\s+/g, " ")).toContain("is not what a run has observed");
  expect(stderr).toContain(`${file}:2`);
});

test("so is what has no end", async () => {
  const fixture = new Fixture();
  execFileSync("mkfifo", [fixture.path("fifo")]);
  const { status, stderr } = await fixture.run("verify", "--record", fixture.path("fifo"));
  expect(status).not.toBe(0);
  expect(stderr).toContain("no file: ");
});

test("so is one that is not there", async () => {
  const { status, stderr } = await new Fixture().run("verify", "--record", "/nowhere");
  expect(status).not.toBe(0);
  expect(stderr.replaceAll(/\s+/g, " ")).toMatch(/\/nowhere is not what a run has observed.*no such file/);
});
