import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { guestConsole } from "../../../src/cli/commands/guest-console-command.ts";
import { guestSlot } from "../../../src/cli/commands/guest-slot-command.ts";
import { guestTrySlot } from "../../../src/cli/commands/guest-try-slot-command.ts";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import type { GuestState } from "../../../src/guest/guest-state.ts";
import { holderOf, takeLock } from "../../../src/system/processes/lock.ts";
import { blockOf, readBootState } from "../../../src/upgrade/boot-state.ts";
import { argumentsOf, guest, guestRestart, guestStop } from "../../support/documented/elsewhere.ts";
import { type FakeSystemd, fakeSystemd } from "../../support/fake-systemd.ts";
import { Fixture } from "../../support/fixture-process.ts";
import { guestDisk, testPlaces } from "../../support/guest-disk.ts";
import { namespaceRoot } from "../../support/namespace.ts";
import { type PrivateBus, privateBus } from "../../support/private-bus.ts";
import { problemOf } from "../../support/problem-of.ts";

const words = (command: string): readonly string[] => argumentsOf(command).split(" ");

function recorder() {
  const lines: string[] = [];
  return { lines, terminal: { print: (line: string) => void lines.push(line), complain: () => undefined, colour: false } };
}

describe("guest status", () => {
  const account: GuestState = {
    phase: "crash-loop",
    since: "2026-03-01T10:00:00.000Z",
    slot: "A",
    onTrial: false,
    failures: 7,
    nextStart: "2026-03-01T10:05:00Z",
    problem: { code: "guest-fell-back", what: "the new system did not come up", todo: "see what it wrote" },
    lastLines: ["Kernel panic - not syncing"],
  };

  test("of a host whose service has never run", async () => {
    const fixture = new Fixture();
    const { status, stdout } = await fixture.run(...words(guest), "--hypervisor", "qemu");
    expect(stdout).toBe("machine   absent (QEMU)\nservice   has not run since the host started: systemctl status guestos.service\n");
    expect(status).toBe(0);
  });

  test("of a guest that ends again and again", async () => {
    const fixture = new Fixture();
    mkdirSync(fixture.path("run"));
    writeFileSync(fixture.path("run/guest.json"), JSON.stringify(account));
    expect((await fixture.run("guest", "status", "--hypervisor", "qemu")).stdout).toBe(`machine   absent (QEMU)
service   crash-loop since 2026-03-01 10:00:00 UTC
slot      A
failures  7 in a row
next      it is started again at 2026-03-01 10:05:00 UTC
problem   the new system did not come up
          to do    see what it wrote
          > Kernel panic - not syncing
`);
  });

  test("without libvirt it still answers, and says that the machine cannot be inspected", async () => {
    const fixture = new Fixture();
    const { status, stdout } = await fixture.run("guest", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ machine: { problem: { code: expect.stringMatching(/^tool-/) } } });
    expect(status).toBe(0);
  });
});

describe("guest start, stop and restart are jobs of the service", () => {
  let bus: PrivateBus;
  let systemd: FakeSystemd;
  beforeAll(async () => {
    bus = await privateBus();
    systemd = await fakeSystemd(bus);
  });
  afterAll(async () => bus.stop());

  test.each([
    [guestRestart, "RestartUnit"],
    ["guestos-boot guest start", "StartUnit"],
    [guestStop, "StopUnit"],
  ])("%s", async (command, job) => {
    systemd.units.set("guestos.service", { load: "loaded", active: "active", sub: "running", result: "done" });
    expect(await new Fixture().run(...words(command))).toMatchObject({ status: 0, stdout: "" });
    expect(systemd.jobs.at(-1)).toBe(`${job} guestos.service`);
  });

  const accounted = (account: object): Fixture => {
    const fixture = new Fixture();
    mkdirSync(fixture.path("run"));
    writeFileSync(
      fixture.path("run/guest.json"),
      JSON.stringify({ since: "2026-03-01T10:00:00Z", onTrial: false, failures: 0, ...account }),
    );
    return fixture;
  };
  const left = { code: "guest-not-stopped", what: "the guest's machine has not ended", found: "running", expected: "absent" };

  test("a guest that could not be started is told of; the service goes on", async () => {
    systemd.units.set("guestos.service", { load: "loaded", active: "inactive", sub: "dead", result: "done" });
    const problem = { code: "test-problem", what: "no memory" };
    const { status, stdout } = await accounted({ phase: "waiting", failures: 1, problem }).run("guest", "start");
    expect({ status, stdout }).toEqual({ status: 0, stdout: "the guest: waiting, 1 failures in a row, [test-problem] no memory\n" });
  });

  test.each([
    ["its service has failed to end it", "stop", { phase: "stopping", problem: left }, "failed", "found    running"],
    ["its service was killed", "stop", { phase: "stopping" }, "failed", "found    guestos.service has failed"],
    ["the next service found it", "restart", { phase: "running", problem: left }, "active", "found    running"],
  ])("a machine that has not ended is an error: %s", async (_, word, account, active, found) => {
    const then = { active, sub: active === "failed" ? "failed" : "running" };
    systemd.units.set("guestos.service", { load: "loaded", active: "active", sub: "running", result: "done", then });
    const { status, stderr } = await accounted(account).run("guest", word);
    expect(status).toBe(12);
    expect(stderr).toContain("the guest's machine has not ended");
    expect(stderr).toContain(found);
  });
});

test("guest console shows what the guest wrote, harmless", async () => {
  const places = testPlaces(namespaceRoot());
  const { lines, terminal } = recorder();
  const show = async () => guestConsole({ layout: guestosLayout }, { follow: false }, terminal, places);
  expect(await problemOf(show)).toMatchObject({ code: "no-serial-log" });
  writeFileSync(places.serialLog, `${"x".repeat(70_000)}\n\u001b[2Jlogin:\r\nroot\n${"y".repeat(1000)}\n# `);
  expect(await show()).toBe("ok");
  expect(lines.slice(-4)).toEqual(["login:", "root", "y".repeat(1000), "# "]);
});

test("guest slot shows what the next start boots", async () => {
  const folder = namespaceRoot();
  guestDisk(folder, blockOf({ alternative: "B", cycle: "first_boot", trial: "B" }, []));
  const { lines, terminal } = recorder();
  expect(await guestSlot({ layout: guestosLayout }, { json: false }, terminal, testPlaces(folder))).toBe("ok");
  expect(lines[0]).toBe("the next start boots slot B, on trial");
});

describe("guest slot B", () => {
  let bus: PrivateBus;
  let systemd: FakeSystemd;
  beforeAll(async () => {
    bus = await privateBus();
    systemd = await fakeSystemd(bus);
  });
  afterAll(async () => bus.stop());

  /** A guest that boots A, and a service in that state. */
  const guestOf = (active: string) => {
    const folder = namespaceRoot();
    const disk = guestDisk(folder, blockOf({ alternative: "A", cycle: "stable", trial: undefined }, []));
    systemd.units.set("guestos.service", { load: "loaded", active, sub: "running", result: "done" });
    systemd.jobs.splice(0);
    const places = testPlaces(folder);
    mkdirSync(dirname(places.lock), { recursive: true });
    const { lines, terminal } = recorder();
    const choose = async (slot: "A" | "B") => guestTrySlot({ layout: guestosLayout }, slot, { hypervisor: "qemu" }, terminal, places);
    return { disk, lines, places, choose };
  };

  test("stops the guest, has it try the slot, and starts it again; a guest that is stopped stays so", async () => {
    for (const [active, jobs] of [
      ["active", ["StopUnit guestos.service", "StartUnit guestos.service"]],
      ["inactive", []],
    ] as const) {
      const { disk, choose, lines } = guestOf(active);
      expect(await choose("B")).toBe("ok");
      expect(readBootState(disk.block()).state).toMatchObject({ alternative: "B", cycle: "first_boot" });
      expect(systemd.jobs).toEqual(jobs);
      expect(lines.at(-1)).toMatch(/^slot B is tried/);
    }
  });

  test("the slot that is booted anyway is not tried, and the guest runs on", async () => {
    const { choose, lines } = guestOf("active");
    expect(await choose("A")).toBe("ok");
    expect(systemd.jobs).toEqual([]);
    expect(lines).toEqual(["the next start boots slot A already; to start it now: guestos-boot guest restart"]);
  });

  test("a slot that cannot be started is refused, and the guest is started as before", async () => {
    const { disk, choose } = guestOf("active");
    disk.slot("B", {});
    const before = readFileSync(disk.path);
    expect(await problemOf(async () => choose("B"))).toMatchObject({ code: "guest-slot-unusable" });
    expect(systemd.jobs.at(-1)).toBe("StartUnit guestos.service");
    expect(Buffer.compare(before, readFileSync(disk.path))).toBe(0);
  });

  test("where the guest does not end, nothing is written, and its service is started again", async () => {
    const { disk, choose } = guestOf("active");
    const then = { active: "failed", sub: "failed" };
    systemd.units.set("guestos.service", { load: "loaded", active: "active", sub: "running", result: "done", then });
    const before = readFileSync(disk.path);
    expect(await problemOf(async () => choose("B"))).toMatchObject({ code: "guest-not-stopped" });
    expect(systemd.jobs).toEqual(["StopUnit guestos.service", "StartUnit guestos.service"]);
    expect(Buffer.compare(before, readFileSync(disk.path))).toBe(0);
  });

  test("while another one keeps the guest running, nothing is written", async () => {
    const { disk, choose, places } = guestOf("inactive");
    const lock = await takeLock(places.lock, { wait: 0, holder: holderOf("another"), signal: new AbortController().signal });
    expect(await problemOf(async () => choose("B"))).toMatchObject({ code: "guest-still-kept", found: expect.stringContaining("another") });
    expect(readBootState(disk.block()).state).toMatchObject({ alternative: "A", cycle: "stable" });
    if (lock.kind === "taken") lock.release();
  }, 30_000);
});

describe("guest run", () => {
  test("a guest without a disk is an error in its account and its metrics; the service goes on, and ends when it is told to", async () => {
    const fixture = new Fixture();
    const { process: service, ended } = fixture.start(["guest", "run", "--hypervisor", "qemu"]);
    const accounts = fixture.path("run/guest.json");
    await fixture.appears("run/guest.json");
    await expect.poll(() => (JSON.parse(readFileSync(accounts, "utf8")) as GuestState).failures, { timeout: 20_000 }).toBeGreaterThan(1);
    const second = await fixture.run("guest", "run", "--hypervisor", "qemu");
    expect(second).toMatchObject({ status: 12, stderr: expect.stringContaining("already kept running") });
    expect(readFileSync(fixture.path("collector/hostos_guestos_service.prom"), "utf8")).toContain('hostos_guestos_state{vm="guestos"} 1\n');
    service.kill("SIGTERM");
    expect((await ended).status).toBe(143);
    expect(JSON.parse(readFileSync(accounts, "utf8"))).toMatchObject({ phase: "stopped" });
    expect((await ended).stdout).toMatch(/the guest: waiting, 1 failures in a row, next start .*, \[tool-failed\] sfdisk/);
  });

  test("only root may do it", async () => {
    const fixture = new Fixture();
    expect(await fixture.start(["guest", "run"], { uid: 65_534 }).ended).toMatchObject({ status: 5 });
  });
});
