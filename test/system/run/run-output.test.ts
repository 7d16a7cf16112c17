import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Fixture } from "../../support/fixture-process.ts";

interface Outputs {
  readonly stdout: string;
  readonly stderr: string;
  readonly journal: string;
  readonly console: string;
  readonly status: number | null;
}

/** Runs the fixture's chain as a service of systemd, with or without a descriptor for its socket. */
function asService(fixture: Fixture, { socket }: { readonly socket: boolean }, ...args: readonly string[]): Outputs {
  const path = (name: string): string => fixture.path(name);
  for (const name of ["out", "err", "journal", "console"]) writeFileSync(path(name), "");
  const [out, err, journal] = [openSync(path("out"), "a"), openSync(path("err"), "a"), openSync(path("journal"), "a")];
  // The process that systemd means is the one that it starts: exec keeps its number.
  const script = socket ? 'LISTEN_PID=$$ exec "$@"' : 'exec "$@"';
  const program = [process.execPath, join(import.meta.dirname, "../../support/fixture-cli.ts"), ...args];
  const { status } = spawnSync("sh", ["-c", script, "sh", ...program], {
    stdio: ["ignore", out, err, journal],
    env: {
      ...process.env,
      FIXTURE_ROOT: fixture.root,
      GUESTOS_CONSOLE: path("console"),
      LISTEN_FDS: "1",
      LISTEN_FDNAMES: "journal",
    },
  });
  for (const descriptor of [out, err, journal]) closeSync(descriptor);
  const read = (name: string): string => readFileSync(path(name), "utf8");
  return { status, stdout: read("out"), stderr: read("err"), journal: read("journal"), console: read("console") };
}

const UNIT_LINE = /^first {16}changed/m;

test("a service's lines go to the console, its entries with fields to the journal's socket, and nothing to standard output", () => {
  const { status, stdout, stderr, journal, console } = asService(new Fixture(), { socket: true }, "run", "--stage", "early");
  expect([status, stdout, stderr]).toEqual([0, "", ""]);
  expect(console).toMatch(/^\[ *\d+\.\d{6}\] guestos-boot\[\d+\]: first {16}changed/m);
  expect(console).toMatch(/guestos-boot\[\d+\]: early: 4 units: 1 changed/);
  expect(journal).toMatch(/^MESSAGE=first: make the first file\nPRIORITY=6\nSYSLOG_IDENTIFIER=guestos-boot\n/m);
  expect(journal).toMatch(/^GUESTOS_UNIT=first\nGUESTOS_ACTION=make the first file\nGUESTOS_EFFECT=provision$/m);
  expect(journal.match(/^MESSAGE=first {16}changed/gm)).toHaveLength(1);
});

test("a failure is one entry of the journal, with the priority of an error", () => {
  const fixture = new Fixture();
  fixture.touch("in-the-way");
  const { status, journal, console } = asService(fixture, { socket: true }, "run", "--stage", "early");
  expect(status).toBe(3);
  expect(journal).toContain("remove it");
  expect(journal.match(/remove it/g)).toHaveLength(1);
  // After the message, which has its length before it.
  expect(journal).toMatch(/to do {4}remove it\nPRIORITY=3\n/);
  expect(console).toMatch(/guestos-boot\[\d+\]: .*to do {4}remove it/);
});

test("without the socket, lines with a level go to standard output, once", () => {
  const { status, stdout, stderr, journal, console } = asService(new Fixture(), { socket: false }, "run", "--stage", "early");
  expect([status, stderr, journal]).toEqual([0, "", ""]);
  expect(stdout).toMatch(/^<6>first {16}changed/m);
  expect(stdout).not.toMatch(UNIT_LINE);
  expect(console).toMatch(/: first {16}changed/);
});

test("with --json the log is on standard error, an object a line, and the document alone on standard output", async () => {
  const { stdout, stderr } = await new Fixture().run("--json", "--unit", "first");
  expect(JSON.parse(stdout)).toMatchObject({ outcome: "done" });
  const lines = stderr
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({ event }) => event)).toEqual(["run-started", "action", "unit", "run-ended"]);
  expect(lines[1]).toMatchObject({ level: "info", unit: "first", action: "make the first file" });
});
