import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { systemHost } from "../../../../src/system/host.ts";
import { isServiceRunning, runJob, unitState } from "../../../../src/system/systemd/systemd.ts";
import { fakeHost } from "../../../support/fake-host.ts";
import { type FakeSystemd, fakeSystemd } from "../../../support/fake-systemd.ts";
import { type PrivateBus, privateBus } from "../../../support/private-bus.ts";

const host = systemHost({ signal: new AbortController().signal });
const UNIT = "node_exporter.service";
let bus: PrivateBus;
let systemd: FakeSystemd;

beforeAll(async () => {
  bus = await privateBus();
  systemd = await fakeSystemd(bus);
});
beforeEach(() => systemd.units.clear());
afterAll(async () => bus.stop());

test("the state of a unit is told in one call", async () => {
  systemd.units.set(UNIT, { load: "loaded", active: "active", sub: "running", result: "done" });
  expect(await unitState(host, UNIT)).toEqual({ load: "loaded", active: "active", sub: "running" });
});

test("a unit without a file is not found, which is a state and not an error", async () => {
  expect(await unitState(host, "missing.service")).toEqual({ load: "not-found", active: "inactive", sub: "dead" });
});

test("a job is over when systemd says so, also when it says so before it has named the job", async () => {
  for (const early of [false, true]) {
    systemd.units.set(UNIT, { load: "loaded", active: "inactive", sub: "dead", result: "done", early });
    await runJob(host, "start", UNIT);
    expect(await unitState(host, UNIT)).toMatchObject({ active: "active" });
  }
});

test("jobs of other units are not taken for ours", async () => {
  systemd.units.set(UNIT, { load: "loaded", active: "inactive", sub: "dead", result: "done", noise: "failed" });
  await runJob(host, "restart", UNIT);
  expect(systemd.jobs.at(-1)).toBe(`RestartUnit ${UNIT}`);
});

test("a unit that does not exist is named", async () => {
  await expect(runJob(host, "start", "missing.service")).rejects.toMatchObject({
    problem: { what: "cannot start missing.service", found: "no unit of that name" },
  });
});

test("what a service said last is part of why it could not be started", async () => {
  const command = `journalctl --boot --unit=${UNIT} --lines=5 --output=cat --quiet --no-pager`;
  const talkative = fakeHost({ commands: { [command]: "cannot read node_exporter.key\nMain process exited, code=exited, status=1\n" } });
  systemd.units.set(UNIT, { load: "loaded", active: "inactive", sub: "dead", result: "failed" });
  await expect(runJob(talkative, "start", UNIT)).rejects.toMatchObject({
    problem: { found: "it failed\ncannot read node_exporter.key\nMain process exited, code=exited, status=1" },
  });
});

test("a unit that an operator has masked is told as masked", async () => {
  systemd.units.set(UNIT, { load: "masked", active: "inactive", sub: "dead", result: "done" });
  await expect(runJob(host, "start", UNIT)).rejects.toMatchObject({
    problem: { what: `cannot start ${UNIT}`, found: "its unit is masked" },
  });
});

test.each([
  ["failed", "it failed", `journalctl -b -u ${UNIT}`],
  ["timeout", "it took too long, and systemd stopped it", `journalctl -b -u ${UNIT}`],
  ["dependency", "a unit that it needs failed", `systemctl list-dependencies ${UNIT}`],
  ["canceled", "another job took its place", `journalctl -b -u ${UNIT}`],
  ["something new", "something new", `journalctl -b -u ${UNIT}`],
])("a job that ends as %s says what that means and where to read on", async (result, found, todo) => {
  systemd.units.set(UNIT, { load: "loaded", active: "inactive", sub: "dead", result });
  await expect(runJob(host, "start", UNIT)).rejects.toMatchObject({ problem: { what: `cannot start ${UNIT}`, found, todo } });
});

test("a service that dies right after its start has not been started", async () => {
  systemd.units.set(UNIT, {
    load: "loaded",
    active: "inactive",
    sub: "dead",
    result: "done",
    then: { active: "activating", sub: "auto-restart" },
  });
  await expect(runJob(host, "start", UNIT)).rejects.toMatchObject({ problem: { found: "activating (auto-restart)" } });
});

test("a job that never ends is given up", async () => {
  systemd.units.set(UNIT, { load: "loaded", active: "inactive", sub: "dead", result: "never" });
  await expect(runJob(host, "start", UNIT, 100)).rejects.toMatchObject({ problem: { found: "systemd has not finished the job in time" } });
});

test("a job that never ends is given up in time also when the clock is set back meanwhile", async () => {
  systemd.units.set(UNIT, { load: "loaded", active: "inactive", sub: "dead", result: "never" });
  let hours = 0;
  // clock_settime(2): setting CLOCK_REALTIME moves what Date.now() says, and not CLOCK_MONOTONIC.
  const clock = vi.spyOn(Date, "now").mockImplementation(() => 2e12 - 3_600_000 * (hours += 1));
  await expect(runJob(host, "start", UNIT, 100)).rejects.toMatchObject({ problem: { found: "systemd has not finished the job in time" } });
  clock.mockRestore();
});

test("without a bus, whether a service runs is read from the link to its invocation", async () => {
  const links = { "/run/systemd/units/invocation:systemd-networkd.service": "0123456789abcdef" };
  expect(await isServiceRunning(fakeHost({ links }), "systemd-networkd.service")).toBe(true);
  expect(await isServiceRunning(fakeHost(), "systemd-networkd.service")).toBe(false);
});
