import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { documents } from "../../../tools/schemas/documents.ts";
import { Fixture } from "../../support/fixture-process.ts";

const MARK = "config/unfinished-run.json";
const HERE = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
const OTHER = "6f3c1a5e-0000-4000-8000-000000000001";

/** A machine whose config partition is mounted, or is not. */
function machine({ mounted = true } = {}): Fixture {
  const fixture = new Fixture();
  mkdirSync(fixture.path("config"));
  if (mounted) expect(spawnSync("mount", ["-t", "tmpfs", "tmpfs", fixture.path("config")]).status).toBe(0);
  return fixture;
}

/** Kills a run in the middle of its first lasting action. */
async function killed(fixture: Fixture): Promise<void> {
  fixture.touch("hold-first");
  const { process, ended } = fixture.start(["run"]);
  await fixture.appears(MARK);
  process.kill("SIGKILL");
  await ended;
  unlinkSync(fixture.path("hold-first"));
}

test("what a run changes permanently is noted before it is done, and the note is gone when the run has ended", async () => {
  const fixture = machine();
  fixture.touch("hold-first");
  const { ended } = fixture.start(["run"]);
  await fixture.appears(MARK);
  expect(JSON.parse(readFileSync(fixture.path(MARK), "utf8"))).toEqual({
    ...{ version: 1, bootId: HERE, run: "run", time: expect.stringMatching(/Z$/) },
    at: [{ unit: "first", action: "make the first file" }],
  });
  expect(existsSync(fixture.path("made-first"))).toBe(false);
  unlinkSync(fixture.path("hold-first"));
  expect((await ended).status).toBe(0);
  expect(existsSync(fixture.path(MARK))).toBe(false);
});

test("a run after one that was killed says where that was, in its output, its record, status and why, and does what is missing", async () => {
  const fixture = machine();
  await killed(fixture);
  const text = readFileSync(fixture.path(MARK), "utf8").replace(HERE, OTHER).replace('"run": "run"', '"run": "early"');
  writeFileSync(fixture.path(MARK), text);
  const { stdout, status } = await fixture.run("run", "--stage", "early");
  expect(status).toBe(0);
  const said = "the early stage of boot 6f3c1a5e was cut off at first: make the first file";
  expect(stdout.replaceAll(/\n +/g, " ")).toContain(`note: ${said}; what is missing is done now\n`);
  expect(existsSync(fixture.path(MARK))).toBe(false);
  const events = readFileSync(fixture.path("run/record.jsonl"), "utf8");
  expect(events).toContain('"event":"interrupted"');

  const shown = (await fixture.run("status")).stdout.replaceAll(/\n +/g, " ");
  expect(shown).toContain(`${said}; done since: first (1 action)\n`);
  const document: unknown = JSON.parse((await fixture.run("status", "--json")).stdout);
  const runs = documents.status.schema.parse(document).runs;
  expect(runs.at(-1)?.interrupted).toMatchObject({
    ...{ bootId: OTHER, run: "early" },
    ...{ at: [{ unit: "first", action: "make the first file" }], redone: [{ unit: "first", actions: ["make the first file"] }] },
  });
  expect((await fixture.run("why", "first")).stdout.replaceAll(/\n +/g, " ")).toMatch(
    /before the early stage of boot 6f3c1a5e, started .* UTC, was cut off at: make the first file/,
  );
  expect((await fixture.run("analyze", "report")).stdout).toContain(`a run of boot ${OTHER} was cut off, in first`);
  // The next one has nothing to tell.
  expect((await fixture.run("run")).stdout).not.toContain("cut off");
});

test("a run of the same boot that was killed is told as one, also with --json, and its log says so", async () => {
  const fixture = machine();
  await killed(fixture);
  const { stdout, stderr } = await fixture.run("run", "--json");
  expect(documents.run.schema.parse(JSON.parse(stdout)).interrupted).toMatchObject({ bootId: HERE, run: "run" });
  expect(stderr).toContain("a run of this boot was cut off at first: make the first file");
});

test("a run that fails, or is told to stop, ends in order: it leaves no note", async () => {
  const fixture = machine();
  fixture.touch("in-the-way");
  expect((await fixture.run("run")).status).toBe(3);
  expect(existsSync(fixture.path("made-first"))).toBe(true);
  expect(existsSync(fixture.path(MARK))).toBe(false);
  unlinkSync(fixture.path("made-first"));
  fixture.touch("hold-first");
  const { process, ended } = fixture.start(["run"]);
  await fixture.appears(MARK);
  process.kill("SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 200));
  unlinkSync(fixture.path("hold-first"));
  expect((await ended).status).toBe(143);
  expect(existsSync(fixture.path(MARK))).toBe(false);
});

test("a run that changes nothing permanently writes nothing on the config partition, and a plan leaves a note where it is", async () => {
  const fixture = machine();
  fixture.touch("made-first");
  fixture.touch("sleep");
  fixture.touch("slept");
  const options = ["-o", "remount,ro", fixture.path("config")];
  expect(spawnSync("mount", options).status).toBe(0);
  const { status, stderr } = await fixture.run("run");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });

  const other = machine();
  await killed(other);
  const before = readFileSync(other.path(MARK), "utf8");
  expect((await other.run("plan")).stdout).not.toContain("cut off");
  expect(readFileSync(other.path(MARK), "utf8")).toBe(before);
});

test("while the config partition is not mounted, nothing is written where it will be", async () => {
  const fixture = machine({ mounted: false });
  expect((await fixture.run("run")).status).toBe(0);
  expect(existsSync(fixture.path("made-first"))).toBe(true);
  writeFileSync(fixture.path(MARK), "{}");
  expect((await fixture.run("run")).stdout).not.toContain("cut off");
  expect(existsSync(fixture.path(MARK))).toBe(true);
});

test("a note that cannot be read or written is told once, and stops nothing", async () => {
  const fixture = machine();
  writeFileSync(fixture.path(MARK), "{");
  const damaged = await fixture.run("run");
  expect(damaged.status).toBe(0);
  expect(damaged.stderr).toContain("the note of it cannot be read");
  expect(existsSync(fixture.path(MARK))).toBe(false);

  const full = machine();
  expect(spawnSync("mount", ["-o", "remount,ro", full.path("config")]).status).toBe(0);
  const { status, stderr } = await full.run("run");
  expect(status).toBe(0);
  expect(stderr.match(/EROFS/g)).toHaveLength(1);
  expect(existsSync(full.path("made-first"))).toBe(true);
});
