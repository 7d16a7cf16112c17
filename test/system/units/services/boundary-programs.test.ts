import { expect, test } from "vitest";
import { isConflict } from "../../../../src/boot/unit.ts";
import { boundary } from "../../../../src/profiles/boundary.ts";
import { boundaryNodeControlPlane } from "../../../../src/units/services/boundary-node-control-plane.ts";
import { icRouterControlPlaneWatcher } from "../../../../src/units/services/ic-router-control-plane-watcher.ts";
import { icxProxy } from "../../../../src/units/services/icx-proxy.ts";
import { type FakeHost, fakeHost } from "../../../support/fake-host.ts";
import { problemOf } from "../../../support/problem-of.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { systemdOfTests } from "../../../support/systemd-of-tests.ts";
import { testMachine } from "../../../support/test-machine.ts";

const PROXY = "icx-proxy.service";
const PROGRAM = "/usr/bin/icx-proxy";
const ENVIRONMENT = "/run/ic-node/etc/default/icx-proxy";
const VARS = "/boot/config/bn_vars.conf";
const services = systemdOfTests(["icx-proxy.service", "boundary-node-control-plane.service", "ic-router-control-plane-watcher.service"]);

const INSTALLED = { mode: 0o755 };

function node(files: Readonly<Record<string, string>> = {}): FakeHost {
  return fakeHost({
    files: {
      [VARS]: "system_domains=ic0.app\napplication_domains=icp0.io\n",
      "/boot/config/nns.conf": "nns_url=http://[2001:db8::1]:8080\n",
      ...files,
    },
    attributes: { [PROGRAM]: INSTALLED, "/opt/ic/bin/boundary-node-control-plane": INSTALLED },
  });
}

test.each([
  [icxProxy, PROGRAM],
  [boundaryNodeControlPlane, "/opt/ic/bin/boundary-node-control-plane"],
  [icRouterControlPlaneWatcher, "/opt/ic/bin/ic-router-control-plane-watcher"],
])("a program that the image does not have is absent, and no error ($name)", async (unit, program) => {
  const machine = testMachine(node(), boundary.layout);
  expect(await runUnit(unit, machine)).toEqual([`write the environment of ${unit.name}, which is not installed`]);
  expect(machine.notes).toEqual([`absent: this image has no ${program}`]);
  expect(await runUnit(unit, machine)).toEqual([]);
  expect(services.systemd.jobs).toEqual([]);
});

test("one that it has is started with what it reads, and restarted when that changes", async () => {
  const host = node({ [PROGRAM]: "a program", "/boot/config/denylist.json": "{}" });
  const machine = testMachine(host, boundary.layout);
  expect(await runUnit(icxProxy, machine)).toEqual([`start ${PROXY}, to call canisters for ic0.app icp0.io`]);
  expect(String(host.files.get(ENVIRONMENT)).split("\n").slice(1)).toEqual([
    'ADDRESS="127.0.0.1:3000"',
    'DOMAINS="--domain ic0.app --domain icp0.io"',
    'REPLICAS="--replica http://[2001:db8::1]:8080"',
    'DENYLIST="/boot/config/denylist.json"',
    "",
  ]);
  expect(await runUnit(icxProxy, machine)).toEqual([]);
  host.files.set(VARS, "system_domains=ic0.app\n");
  expect(await runUnit(icxProxy, machine)).toEqual([`restart ${PROXY}, to call canisters for ic0.app`]);
  expect(services.systemd.jobs).toEqual([`StartUnit ${PROXY}`, `RestartUnit ${PROXY}`]);
});

test("the control plane begins with what the medium brought of the registry", async () => {
  const host = node({
    "/opt/ic/bin/boundary-node-control-plane": "a program",
    "/boot/config/ic_registry_local_store/00/01": "r",
    [VARS]: "last_known_registry_version=41\n",
  });
  await runUnit(boundaryNodeControlPlane, testMachine(host, boundary.layout));
  expect(String(host.files.get("/run/ic-node/etc/default/boundary-node-control-plane")).split("\n").slice(1)).toEqual([
    'NNS_URLS="http://[2001:db8::1]:8080"',
    'MIN_REGISTRY_VERSION="41"',
    'IC_REGISTRY_LOCAL_STORE="/boot/config/ic_registry_local_store"',
    "",
  ]);
});

test("a file that cannot be run is no program", async () => {
  const host = fakeHost({ files: { [VARS]: "system_domains=ic0.app\n", [PROGRAM]: "text" } });
  const machine = testMachine(host, boundary.layout);
  await runUnit(icxProxy, machine);
  expect(machine.notes).toEqual([`absent: this image has no ${PROGRAM}`]);
});

test("one that ends at once is an error with where to read on, and the next run tries it again", async () => {
  services.systemd.units.set(PROXY, {
    load: "loaded",
    active: "inactive",
    sub: "dead",
    result: "done",
    then: { active: "activating", sub: "auto-restart" },
  });
  const machine = testMachine(node({ [PROGRAM]: "a program" }), boundary.layout);
  expect(await problemOf(async () => runUnit(icxProxy, machine))).toMatchObject({
    what: `cannot start ${PROXY}`,
    todo: `journalctl -b -u ${PROXY}`,
  });
  services.systemd.units.set(PROXY, { load: "loaded", active: "activating", sub: "auto-restart", result: "done" });
  // Not a start: what systemd is starting by itself may have read what was there before.
  expect(await runUnit(icxProxy, machine)).toEqual([`restart ${PROXY}, to call canisters for ic0.app icp0.io`]);
  expect(await runUnit(icxProxy, machine)).toEqual([]);
});

test("one whose restart failed is not taken for done by the next run", async () => {
  const host = node({ [PROGRAM]: "a program" });
  const machine = testMachine(host, boundary.layout);
  await runUnit(icxProxy, machine);
  host.files.set(VARS, "system_domains=ic0.app\n");
  services.systemd.units.set(PROXY, { load: "loaded", active: "active", sub: "running", result: "failed" });
  await expect(runUnit(icxProxy, machine)).rejects.toThrow(`cannot restart ${PROXY}`);
  services.systemd.units.set(PROXY, { load: "loaded", active: "active", sub: "running", result: "done" });
  expect(await runUnit(icxProxy, machine)).toEqual([`restart ${PROXY}, to call canisters for ic0.app`]);
});

test.each(["not-found", "masked", "bad-setting"])("one whose unit is %s is a conflict, and nothing is written", async (load) => {
  services.systemd.units.set(PROXY, { load, active: "inactive", sub: "dead", result: "done" });
  const host = node({ [PROGRAM]: "a program" });
  const plan = await icxProxy.plan(testMachine(host, boundary.layout));
  expect(isConflict(plan) && plan.conflict.what).toBe(`${PROXY} cannot be started`);
  expect(host.effects).toEqual([]);
});

test("without a domain there is nothing to call canisters for", async () => {
  expect(await problemOf(async () => runUnit(icxProxy, testMachine(fakeHost(), boundary.layout)))).toMatchObject({ where: { file: VARS } });
});
