import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { blockOf, type BootState, readBootState } from "../../../src/upgrade/boot-state.ts";
import { Fixture } from "../../support/fixture-process.ts";
import { namespaceRoot } from "../../support/namespace.ts";
import { type PrivateBus, privateBus } from "../../support/private-bus.ts";
import { HASH, installed, proven } from "../../support/slot-machine.ts";

/** The kernel's command line, bound over the real one in the namespace of the tests. */
const cmdline = join(namespaceRoot(), "cmdline");
let fixture: Fixture;
let bus: PrivateBus;

beforeAll(async () => {
  bus = await privateBus();
  writeFileSync(cmdline, "dfinity.system=A\n");
  if (spawnSync("mount", ["--bind", cmdline, "/proc/cmdline"]).status !== 0) throw new Error("cannot bind over /proc/cmdline");
});
afterAll(async () => {
  spawnSync("umount", ["/proc/cmdline"]);
  await bus.stop();
});
beforeEach(() => {
  writeFileSync(cmdline, "dfinity.system=A\n");
  fixture = new Fixture();
  mkdirSync(fixture.path("slots"));
  writeFileSync(fixture.path("version.txt"), "1.0.0\n");
  writeFileSync(fixture.path("slots/A.json"), JSON.stringify(proven));
  writeFileSync(fixture.path("slots/B.json"), JSON.stringify(installed));
  setState({ alternative: "A", cycle: "stable", trial: undefined });
});

function setState(state: BootState): void {
  writeFileSync(fixture.path("grubenv"), blockOf(state, []));
}

function state(): BootState {
  return readBootState(readFileSync(fixture.path("grubenv"))).state;
}

/** What GRUB leaves when it tries B. */
function trialOfB(): void {
  setState({ alternative: "B", cycle: "failsafe_check", trial: "B" });
  writeFileSync(cmdline, "dfinity.system=B\n");
}

test("status shows both slots and what comes next; it is what upgrade alone does", async () => {
  const { status, stdout } = await fixture.run("upgrade");
  expect(status).toBe(0);
  expect(stdout).toBe(`stable: slot A runs, and is what the boot loader starts
slot A (runs)  a system that ran and was confirmed: 1.0.0
slot B         an installed image, not tried yet: 2.0.0, ${HASH}
boot loader    slot A, stable; the next boot starts A
`);
  expect(JSON.parse((await fixture.run("upgrade", "status", "--json")).stdout)).toMatchObject({
    ...{ running: "A", version: "1.0.0", phase: "stable", next: "A", toDo: [], refused: [] },
    grubenv: { alternative: "A", cycle: "stable", readable: true, faults: [] },
    slots: { A: { kind: "proven" }, B: { kind: "installed", sha256: HASH } },
  });
});

test("status says what is not as it should be, and changes nothing", async () => {
  writeFileSync(fixture.path("grubenv"), "");
  writeFileSync(fixture.path("slots/B.json"), "");
  writeFileSync(fixture.path("slots/refused.json"), "");
  const { status, stdout } = await fixture.run("upgrade", "status");
  expect(status).toBe(0);
  expect(stdout).toContain("grubenv         is damaged: it is empty\n");
  expect(stdout).toContain("to do           set the boot loader to: slot A, stable\n");
  expect(stdout).toContain("slot B         a record that cannot be read\n");
  expect(stdout).toContain("the list of refused images cannot be read");
  expect(readFileSync(fixture.path("grubenv"), "utf8")).toBe("");
});

test("current, target and next print one letter; manageboot knows them too, by its name and as a command", async () => {
  setState({ alternative: "B", cycle: "first_boot", trial: "B" });
  for (const [which, slot] of [
    ["current", "A"],
    ["target", "B"],
    ["next", "B"],
  ] as const) {
    expect(await fixture.run("upgrade", which)).toMatchObject({ status: 0, stdout: `${slot}\n`, stderr: "" });
    expect(JSON.parse((await fixture.run("manageboot", which, "--json")).stdout)).toEqual({ slot });
  }
  const named = spawnSync(process.execPath, [join(import.meta.dirname, "../../support/fixture-cli.ts"), "current"], {
    argv0: "/usr/bin/manageboot",
    encoding: "utf8",
    env: { ...process.env, FIXTURE_ROOT: fixture.root },
  });
  expect(named).toMatchObject({ status: 0, stdout: "A\n" });
});

test("commit flips, and asks logind to restart the machine", async () => {
  const logind = await bus.serve("org.freedesktop.login1", () => "empty");
  expect(await fixture.run("upgrade", "commit", "--no-reboot")).toMatchObject({ status: 0, stdout: "slot B is booted next\n" });
  expect(logind.calls).toEqual([]);
  expect(state()).toEqual({ alternative: "B", cycle: "first_boot", trial: "B" });
  expect(await fixture.run("manageboot", "upgrade-commit", "--json")).toMatchObject({
    status: 0,
    stdout: '{\n  "next": "B",\n  "restart": true\n}\n',
  });
  expect(logind.calls).toEqual(["Reboot"]);
  logind.connection.disconnect();
});

test("a commit that cannot have the machine restarted says that all is written", async () => {
  const { status, stderr } = await fixture.run("upgrade", "commit");
  expect(status).toBe(16);
  expect(stderr.replaceAll(/\s+/g, " ")).toContain(
    "everything is written, but the restart could not be requested: org.freedesktop.login1 is not running",
  );
  expect(state().cycle).toBe("first_boot");
});

test("what cannot be done now ends with 14, says what is there and what to do, and writes nothing", async () => {
  const before = readFileSync(fixture.path("grubenv"));
  writeFileSync(
    fixture.path("slots/B.json"),
    JSON.stringify({ kind: "failed", reason: "it failed", at: proven.kind === "proven" ? proven.at : "" }),
  );
  const { status, stderr } = await fixture.run("upgrade", "commit");
  expect(status).toBe(14);
  expect(stderr).toBe(`guestos-boot: cannot commit: slot B holds no newly installed image
  found    a system that failed
  expected an image that was installed, read back and never tried
  to do    guestos-boot upgrade install IMAGE
`);
  expect((await fixture.run("upgrade", "rollback")).status).toBe(14);
  expect(readFileSync(fixture.path("grubenv"))).toEqual(before);
});

test("confirm keeps what is healthy, and can be called again", async () => {
  trialOfB();
  expect((await fixture.run()).status).toBe(0);
  mkdirSync(fixture.path("health.d"));
  writeFileSync(fixture.path("health.d/10-good"), "#!/bin/sh\nexit 0\n");
  chmodSync(fixture.path("health.d/10-good"), 0o755);
  expect(await fixture.run("upgrade", "confirm")).toMatchObject({
    ...{ status: 0, stdout: "slot B is confirmed (boot record, 10-good: healthy)\n" },
  });
  expect(state()).toEqual({ alternative: "B", cycle: "stable", trial: undefined });
  writeFileSync(fixture.path("health.d/10-good"), "#!/bin/sh\nexit 1\n");
  expect(await fixture.run("manageboot", "confirm")).toMatchObject({
    status: 0,
    stdout: "slot B is stable; there is nothing to confirm\n",
  });
});

test("a confirmation that was cut off between its two writes is brought to its end by the next one", async () => {
  setState({ alternative: "B", cycle: "stable", trial: undefined });
  writeFileSync(cmdline, "dfinity.system=B\n");
  expect((await fixture.run("upgrade", "confirm")).status).toBe(0);
  expect(JSON.parse(readFileSync(fixture.path("slots/B.json"), "utf8"))).toMatchObject({ kind: "proven" });
});

test("confirm ends with 15 when a check fails, when the boot went wrong, or has not ended; the trial goes on", async () => {
  trialOfB();
  const refused = async (): Promise<string> => {
    const { status, stderr } = await fixture.run("upgrade", "confirm");
    expect(status, stderr).toBe(15);
    expect(state().cycle).toBe("failsafe_check");
    return stderr.replaceAll(/\s+/g, " ");
  };
  expect(await refused()).toContain("this boot has no record of the boot chain");
  await fixture.run("--stage", "early");
  expect(await refused()).toContain("found no result of system-bus, lenient");
  fixture.touch("in-the-way");
  await fixture.run();
  expect(await refused()).toContain("the boot chain failed: found strict");
  spawnSync("rm", [fixture.path("in-the-way")]);
  await fixture.run();
  mkdirSync(fixture.path("health.d"));
  symlinkSync("/nowhere", fixture.path("health.d/20-gone"));
  expect(await refused()).toContain("slot B is not confirmed: 1 of 2 health checks failed");
  const waited = await fixture.run("upgrade", "confirm", "--within", "1");
  expect(waited).toMatchObject({ status: 15, stdout: expect.stringMatching(/^not confirmed yet: 20-gone: /) });
  expect(JSON.parse(readFileSync(fixture.path("slots/complaint.json"), "utf8"))).toMatchObject({
    text: expect.stringMatching(/^20-gone: /),
  });
  spawnSync("rm", [fixture.path("health.d/20-gone")]);
  expect((await fixture.run("upgrade", "confirm")).status).toBe(0);
});

test("confirm of a system that was committed and does not run yet is refused", async () => {
  setState({ alternative: "B", cycle: "first_boot", trial: "B" });
  expect((await fixture.run("upgrade", "confirm")).status).toBe(14);
});

test("forget takes a hash, in either case, and says what was known of it", async () => {
  writeFileSync(
    fixture.path("slots/refused.json"),
    JSON.stringify({ images: [{ sha256: HASH, reason: "it failed", at: "2026-11-20T14:00:00Z" }] }),
  );
  expect((await fixture.run("upgrade")).stdout).toContain(`refused         ${HASH}: it failed (2026-11-20T14:00:00Z)\n`);
  expect(await fixture.run("upgrade", "forget", HASH.toUpperCase())).toMatchObject({
    status: 0,
    stdout: "forgotten: it failed (2026-11-20T14:00:00Z)\n",
  });
  expect(await fixture.run("upgrade", "forget", HASH)).toMatchObject({ status: 0, stdout: `${HASH} was not refused\n` });
  expect((await fixture.run("upgrade", "forget", "5f70")).status).toBe(2);
});

test("wrong words end with 2 and name the nearest; anyone but root with 5", async () => {
  expect(await fixture.run("upgrade", "comit")).toMatchObject({
    ...{ status: 2, stderr: 'guestos-boot: there is no command "upgrade comit"\n  to do    did you mean commit?\n' },
  });
  expect(await fixture.run("manageboot", "frobnicate")).toMatchObject({
    ...{ status: 2, stderr: expect.stringContaining('there is no verb "frobnicate" of manageboot') },
  });
  chmodSync(fixture.root, 0o777);
  chmodSync(fixture.path("grubenv"), 0o640);
  for (const verb of ["status", "next", "commit", "confirm"]) {
    expect((await fixture.start(["upgrade", verb], { uid: 65534 }).ended).status, verb).toBe(5);
  }
});
