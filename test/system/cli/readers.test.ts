import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { blockOf } from "../../../src/upgrade/boot-state.ts";
import { Fixture } from "../../support/fixture-process.ts";
import { namespaceRoot } from "../../support/namespace.ts";
import { proven } from "../../support/slot-machine.ts";

const NOBODY = 65_534;
/** base-passwd, group.master: the group of those who read logs. */
const ADM = 4;

const READING: readonly (readonly string[])[] = [
  ["status"],
  ["why", "first"],
  ["analyze", "time"],
  ["analyze", "report"],
  ["analyze", "diff", "0", "0"],
  ["list"],
  ["graph"],
  ["graph", "--svg", "--boot", "0"],
];

beforeAll(() => {
  const cmdline = `${namespaceRoot()}/cmdline`;
  writeFileSync(cmdline, "dfinity.system=A\n");
  mount("--bind", cmdline, "/proc/cmdline");
});
afterAll(() => void spawnSync("umount", ["/proc/cmdline"]));

function mount(...args: readonly string[]): void {
  expect(spawnSync("mount", args).status, args.join(" ")).toBe(0);
}

/** A node after a boot, with the modes that its file systems give. */
async function bootedFixture(): Promise<Fixture> {
  const fixture = new Fixture();
  // Where nothing is mounted, no copy is kept.
  mount("-t", "tmpfs", "tmpfs", fixture.path("var"));
  await fixture.run("run", "--stage", "early");
  await fixture.run("run", "--stage", "late");
  mkdirSync(fixture.path("slots"));
  writeFileSync(fixture.path("slots/A.json"), JSON.stringify(proven));
  writeFileSync(fixture.path("grubenv"), blockOf({ alternative: "A", cycle: "stable", trial: undefined }, []));
  // As src/units/disks/mount-options.ts has it mounted.
  chownSync(fixture.path("grubenv"), 0, ADM);
  chmodSync(fixture.path("grubenv"), 0o750);
  return fixture;
}

test("what only reads a boot works for a member of adm, and says the same as to root", async () => {
  const fixture = await bootedFixture();
  for (const args of READING) {
    const [root, member] = [await fixture.run(...args), await fixture.start(args, { uid: NOBODY, gid: ADM }).ended];
    expect(member, args.join(" ")).toEqual(root);
    expect(member.status, args.join(" ")).toBe(0);
  }
  expect((await fixture.start(["status", "--watch"], { uid: NOBODY, gid: ADM }).ended).status).toBe(0);
});

test("to anyone else it says that they may not read it, what that would take, and ends with 5", async () => {
  const fixture = await bootedFixture();
  const fromRecord = READING.filter(([verb = "", ...rest]) => !["list", "graph"].includes(verb) || rest.includes("--boot"));
  for (const args of [...fromRecord, ["status", "--watch"], ["upgrade", "status"], ["upgrade", "next"]]) {
    const { status, stdout, stderr } = await fixture.start(args, { uid: NOBODY }).ended;
    expect([status, stdout], args.join(" ")).toEqual([5, ""]);
    expect(stderr, args.join(" ")).toMatch(
      /^guestos-boot: only root and members of the group adm may read this\n {2}found +EACCES: permission denied/,
    );
    expect(stderr).toContain("run it through sudo, or as a member of adm");
  }
});

test("the record, its copies and their folders are root's to write, adm's to read, and closed to all others", async () => {
  const fixture = await bootedFixture();
  const [copy = ""] = readdirSync(fixture.path("var/boots"));
  for (const file of ["run/record.jsonl", `var/boots/${copy}`])
    expect(statSync(fixture.path(file)), file).toMatchObject({ mode: 0o100640, uid: 0, gid: ADM });
  for (const folder of ["run", "var/boots"])
    expect(statSync(fixture.path(folder)), folder).toMatchObject({ mode: 0o40750, uid: 0, gid: ADM });
});

test("the state of the two systems is for adm to read, and for root alone to change", async () => {
  const fixture = await bootedFixture();
  const asMember = async (verb: string) => fixture.start(["upgrade", verb], { uid: NOBODY, gid: ADM }).ended;
  expect(await asMember("status")).toEqual(await fixture.run("upgrade", "status"));
  expect(await asMember("next")).toMatchObject({ status: 0, stdout: "A\n" });
  for (const verb of ["commit", "confirm", "rollback"]) expect((await asMember(verb)).status, verb).toBe(5);
});
