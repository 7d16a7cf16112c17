import { expect, test } from "vitest";
import { endPage, type PageFacts, progressPage, setupEnd } from "../../../../src/cli/commands/setup-page.ts";
import type { Problem } from "../../../../src/base/problem.ts";
import type { RunView, UnitView } from "../../../../src/boot/record/run-view.ts";
import { setupos } from "../../../support/chains.ts";

const FACTS: PageFacts = {
  version: "0.1.0",
  mgmtMac: "b0:7b:25:c8:f6:c0",
  ipv6: "2602:ffe4:801:17:6800:ff:feec:bd51",
  progress: new Map(),
  now: 130,
};
const unit = (name: string, others: Partial<UnitView> = {}): UnitView => ({
  ...{ name, requires: [], prerequisite: false, onFailure: "stop" as const, notes: [] },
  ...others,
});
const done = (name: string, kind: "changed" | "unchanged"): UnitView =>
  unit(name, {
    ...{ startedAt: 100, endedAt: 101 },
    result: kind === "changed" ? { kind, provisioned: ["x"], activated: [] } : { kind, activated: [] },
  });
const failed = (problem: Problem): UnitView => unit("setup-disk", { startedAt: 100, endedAt: 101, result: { kind: "failed", problem } });
const run = (units: readonly UnitView[], ended = true): RunView => ({
  ...{ facts: { bootId: "b", pid: 1, version: "0.1.0", stage: "boot" }, time: "2026-11-30T10:00:00Z", startedAt: 100, units },
  ...(ended ? { end: { at: 120, outcome: "done" as const } } : {}),
});

/** Every page fits the smallest screen. */
function expectToFit(page: readonly string[]): void {
  expect(page.length).toBeLessThan(25);
  for (const line of page) expect([...line].length).toBeLessThanOrEqual(80);
}

const ALL = ["system-bus", "check-age", "mount-stick", "check-config", "check-hardware", "check-images", "setup-disk", "install-hostos"];

test("progress of the whole and of the step: bytes, share, and the time that is left", () => {
  const units = [
    ...ALL.slice(0, 7).map((name) => done(name, "unchanged")),
    unit("install-hostos", { startedAt: 110 }),
    unit("install-guestos"),
  ];
  const MIB = 2 ** 20;
  const progress = new Map([["install-hostos", { phase: "write" as const, done: 100 * MIB, total: 400 * MIB, at: 130 }]]);
  const page = progressPage(run(units, false), { ...FACTS, progress });
  expectToFit(page);
  // 20 seconds for a quarter: a minute is left.
  expect(page.find((line) => line.startsWith(" > install-hostos"))).toContain("writing 100 MiB of 400 MiB, 25 %, 1:00 left");
  expect(page.join("\n")).toMatch(/\[#+\.+\] \d+ % {3}step 8 of 9 {3}0:30/);
});

test("of what was noted, the newest is shown that fits: what a person is to do is never cut off", () => {
  const long = "the drive says that it is failing, ".repeat(6);
  const units = [...setupos.map(({ name }) => unit(name)), unit("last", { notes: [long, long, "plug in the HSM"] })];
  const page = progressPage(run(units, false), FACTS);
  expectToFit(page);
  expect(page.at(-1)).toBe("! plug in the HSM");
});

test("how it ended follows from the last unit", () => {
  expect(setupEnd(run([done("setup-boot-loader", "changed")], false))).toBeUndefined();
  expect(setupEnd(run([done("setup-boot-loader", "changed")]))).toBe("installed");
  expect(setupEnd(run([done("setup-boot-loader", "unchanged")]))).toBe("already installed");
  expect(setupEnd(run([unit("setup-boot-loader", { result: { kind: "skipped", because: ["setup-disk"] } })]))).toBe("failed");
});

test("a failure's page has the code, the error, what to do, versions, the BMC's address, and a QR code", () => {
  const problem = { code: "node-installed", what: "a node is installed on these drives", found: "a whole node", todo: "pull the stick" };
  const page = endPage(run([failed(problem)]), "failed", FACTS);
  expectToFit(page);
  const text = page.join("\n");
  for (const words of ["NOT INSTALLED", "code     node-installed", "a whole node", "pull the stick", "0.1.0", "b0:7b:25:c8:f6:c0"])
    expect(text).toContain(words);
  expect(text).toMatch(/[█▀▄]{5}/);
});

test("the QR code has the code, the BMC's address and a version of 40 digits", () => {
  const version = "0123456789abcdef0123456789abcdef01234567";
  const problem = { code: "several-problems", what: "two mistakes" };
  const picture = (facts: PageFacts): string =>
    endPage(run([failed(problem)]), "failed", facts)
      // 29 modules, and two of light on each side.
      .map((line) => [...line].slice(80 - 33).join(""))
      .join("\n");
  const page = picture({ ...FACTS, version });
  expectToFit(endPage(run([failed(problem)]), "failed", { ...FACTS, version }));
  // What is beyond its room is not in it.
  expect(page).not.toBe(picture({ ...FACTS, version, mgmtMac: "b0:7b:25:c8:f6:c1" }));
  expect(page).not.toBe(picture({ ...FACTS, version: `${version.slice(0, -1)}8` }));
});

test("what is wrong in every step is said before what was found in the first", () => {
  const long = { code: "several-problems", what: "8 mistakes", found: "many words ".repeat(100), todo: "correct them" };
  const other = { ...failed({ code: "time-not-found", what: "the time cannot be found", found: "no server" }), name: "check-time" };
  const page = endPage(run([failed(long), other]), "failed", FACTS);
  expectToFit(page);
  expect(page.join("\n")).toMatch(/^setup-disk: 8 mistakes .*\ncheck-time: the time cannot be found .*\nsetup-disk: .*\nfound/m);
});

test("an error of any length fits, and says where all of it is", () => {
  const page = endPage(
    run([failed({ code: "several-problems", what: "x".repeat(300), found: "many words ".repeat(500) })]),
    "failed",
    FACTS,
  );
  expectToFit(page);
  expect(page.join("\n")).toContain("installation.txt on the stick");
  expect(page.join("\n")).toContain("code     several-problems");
});

test("a good end says that the machine starts by itself; a node that was there, that nothing was written", () => {
  expect(endPage(run([done("setup-boot-loader", "changed")]), "installed", FACTS).join("\n")).toContain("Pull the stick");
  expect(endPage(run([done("setup-boot-loader", "unchanged")]), "already installed", FACTS).join("\n")).toContain("Nothing was written");
});
