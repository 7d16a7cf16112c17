import { readFileSync, writeFileSync } from "node:fs";
import { hostname as kernelName } from "node:os";
import { afterAll, expect, test } from "vitest";
import { mounts } from "../../../../src/system/disks/mounts.ts";
import { hostname } from "../../../../src/units/identity/hostname.ts";
import { type NamespaceMachine, namespaceMachine } from "../../../support/namespace-machine.ts";
import { surviveEveryCut } from "../../../support/power-cuts.ts";
import { runUnit } from "../../../support/run-unit.ts";

const KERNEL = "/proc/sys/kernel/hostname";
const before = kernelName();

// The namespace of the test run has a host name of its own, but its tests share that one.
afterAll(() => writeFileSync(KERNEL, before));

function prepare(): NamespaceMachine {
  writeFileSync(KERNEL, "localhost");
  return namespaceMachine({
    "/etc/hostname": "guestos\n",
    "/boot/config/network.conf": "hostname=node-7\ndomain=example.org\n",
    "/boot/config/CONFIGURED": "",
  });
}

function expectWhole({ at }: NamespaceMachine): void {
  expect(kernelName()).toBe("node-7");
  expect(readFileSync(at("/etc/hostname"), "utf8")).toBe("node-7\n");
}

test("the kernel and /etc/hostname get the name, with one tool: mount", async () => {
  const machine = prepare();
  await runUnit(hostname, machine);
  expectWhole(machine);
  expect(machine.tools.map(({ program }) => program)).toEqual(["mount"]);
  expect(await runUnit(hostname, machine)).toEqual([]);
});

test("another name replaces the first one, and no mount is left below another", async () => {
  const machine = prepare();
  await runUnit(hostname, machine);
  for (const name of ["a", "a-much-longer-name-than-the-one-before", "b"]) {
    writeFileSync(machine.at("/boot/config/network.conf"), `hostname=${name}\n`);
    await runUnit(hostname, machine);
    expect(readFileSync(machine.at("/etc/hostname"), "utf8")).toBe(`${name}\n`);
    expect(kernelName()).toBe(name);
    expect((await mounts(machine.host)).filter(({ mountPoint }) => mountPoint === machine.at("/etc/hostname"))).toHaveLength(1);
  }
});

test("a power cut at any effect is survived, with and without a reboot", async () => {
  expect(await surviveEveryCut(hostname, prepare, expectWhole)).toBe(4);
});
