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
  expect(readFileSync(file, "utf8")).toBe(`${JSON.stringify({ unit: "first", kind: "write", path: fixture.path("made-first") })}\n`);
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
