import { chmodSync, chownSync, existsSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { addExtraUnit } from "../../support/extra-units.ts";
import { Fixture } from "../../support/fixture-process.ts";

const NOBODY = 65534;

/** Makes a file once, and finds it from then on. */
const good = (fixture: Fixture): string => `
file=${fixture.path("made-by-extra")}
case $1 in
  plan) if [[ -e $file ]]; then echo '{"nothing":true}'; else echo '{"actions":[{"id":"make","description":"make the extra file"}]}'; fi ;;
  apply) [[ $2 == make ]] && env >"$file" && pwd >>"$file" && readlink /proc/self/fd/0 >>"$file" ;;
esac
`;

test("it is planned, run, found done, and explained like any other unit", async () => {
  const fixture = new Fixture();
  addExtraUnit(fixture, "extra", good(fixture), "title: Make the extra file\nrequires: [first]\n");
  expect((await fixture.run("list")).stdout).toMatch(/^extra {16}late {2}degrade Make the extra file$/m);
  const verified = await fixture.run("verify");
  expect(verified).toMatchObject({
    status: 0,
    stdout: `guestos: the chain is sound: 7 units\nboundary: the chain is sound: 7 units\nhostos: the chain is sound: 7 units\nsetupos: the chain is sound: 7 units\nwith ${fixture.path("own/units.d/extra/unit.yaml")}\n`,
  });
  expect((await fixture.run("plan")).stdout).toMatch(/^extra {16}planned once first has run$/m);
  expect((await fixture.run("run", "--stage", "early")).stdout).not.toContain("extra");
  const plan = await fixture.run("plan", "--unit", "extra");
  expect(plan.stdout).toContain("extra                1 to do\n  provision make the extra file\n");
  expect(plan.status).toBe(11);
  expect(existsSync(fixture.path("made-by-extra"))).toBe(false);
  const run = await fixture.run("--unit", "extra");
  expect(run).toMatchObject({ status: 0, stderr: "" });
  expect(run.stdout).toMatch(/^extra {16}changed/m);
  expect((await fixture.run("--unit", "extra")).stdout).toMatch(/^extra {16}unchanged/m);
  const why = await fixture.run("why", "extra");
  expect(why.stdout).toContain("Make the extra file");
  expect(why.stdout).toMatch(/extra apply make \(.*\n +ended with 0/);
  expect((await fixture.run("status")).stdout).toMatch(/^extra/m);
});

test("it gets no more of an environment than was said", async () => {
  const fixture = new Fixture();
  addExtraUnit(fixture, "extra", good(fixture));
  await fixture.run("--unit", "extra");
  const lines = readFileSync(fixture.path("made-by-extra"), "utf8").trim().split("\n");
  const [seen, rest] = [true, false].map((isVariable) => lines.filter((line) => line.includes("=") === isVariable));
  const names = (seen ?? []).map((line) => line.replace(/=.*/, ""));
  // What bash itself sets, besides.
  expect(new Set(names)).toEqual(new Set(["GUESTOS_UNIT", "LC_ALL", "PATH", "PWD", "SHLVL", "_"]));
  expect(seen).toContain("GUESTOS_UNIT=extra");
  expect(rest).toEqual(["/", "/dev/null"]);
});

test("what others could have put there is not run", async () => {
  const fixture = new Fixture();
  const path = addExtraUnit(fixture, "extra", good(fixture));
  const folder = fixture.path("own/units.d/extra");
  const refused = async (words: RegExp): Promise<void> => {
    const { status, stdout } = await fixture.run("--unit", "extra");
    expect(stdout).toMatch(words);
    expect(status, stdout).toBe(10);
  };
  chmodSync(path, 0o775);
  await refused(/mode 0775: others may write to it/);
  chmodSync(path, 0o755);
  chownSync(path, NOBODY, 0);
  await refused(/it belongs to user 65534/);
  chownSync(path, 0, 0);
  chmodSync(path, 0o644);
  await refused(/mode 0644\n +expected an executable/);
  // The build of an image is told before anyone boots it.
  expect(await fixture.run("verify")).toMatchObject({ status: 18, stderr: expect.stringContaining("chmod u+x") });
  chmodSync(path, 0o755);
  renameSync(path, `${path}.real`);
  symlinkSync(`${path}.real`, path);
  await refused(/found {4}a link/);
  expect(existsSync(fixture.path("made-by-extra"))).toBe(false);
  renameSync(`${path}.real`, path);
  // Who may write to the folder could exchange its description as well: then it is not even read.
  chmodSync(folder, 0o757);
  expect(await fixture.run("--unit", "extra")).toMatchObject({ status: 18, stderr: expect.stringContaining("others may write to it") });
  chmodSync(folder, 0o755);
  expect((await fixture.run("--unit", "extra")).status).toBe(0);
});

test("a description with a mistake is told with its place, and a boot goes on without it", async () => {
  const fixture = new Fixture();
  addExtraUnit(fixture, "extra", good(fixture), "title: Extra\nrequires: [frist]\n");
  addExtraUnit(fixture, "other", good(fixture), "title: Other\ntimeout: soon\n");
  writeFileSync(fixture.path("own/units.d/README"), "");
  const verify = await fixture.run("verify");
  expect(verify.status).toBe(18);
  expect(verify.stderr).toContain(`${fixture.path("own/units.d/extra/unit.yaml")}:2:1`);
  expect(verify.stderr).toContain("did you mean first?");
  expect(verify.stderr).toContain(`${fixture.path("own/units.d/other/unit.yaml")}:2:10`);
  expect(verify.stderr).toContain("the name of an extra unit is not valid");
  const early = await fixture.run("run", "--stage", "early");
  expect(early.status).toBe(10);
  expect(early.stdout).toMatch(/^configuration {8}degraded/m);
  expect(early.stdout).toMatch(/1 changed, 3 unchanged, 1 degraded/);
  expect((await fixture.run("run", "--stage", "late")).status).toBe(0);
  expect((await fixture.run("status")).status).toBe(10);
});
