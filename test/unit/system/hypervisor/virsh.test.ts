import { expect, test } from "vitest";
import { stateIn, virsh } from "../../../../src/system/hypervisor/virsh.ts";
import type { VirtualMachine } from "../../../../src/system/hypervisor/virtual-machine.ts";
import { fakeHost, type FakeMachine } from "../../../support/fake-host.ts";
import { problemOf } from "../../../support/problem-of.ts";

const LIST = "virsh --connect qemu:///system list --all";
const table = (...rows: readonly string[]): string => [" Id   Name      State", "--------------------------", ...rows, "", ""].join("\n");
const places = { connection: "qemu:///system", pids: "/run/libvirt/qemu", folder: "/run/guest" };
const on = (machine: FakeMachine) => {
  const host = fakeHost(machine);
  return { host, hypervisor: virsh(host, places) };
};

test.each([
  [" 1    guestos   running", "running"],
  [" 12   guestos   in shutdown", "running"],
  [" 1    guestos   paused", "paused"],
  [" 1    guestos   pmsuspended", "paused"],
  [" 1    guestos   crashed", "crashed"],
  [" -    guestos   shut off", "shut off"],
  [" 1    upgrade-guestos   running", undefined],
  [" -    guestos guestos   shut off", undefined],
] as const)("%j is %s", (row, state) => {
  expect(stateIn(table(" 7    other     running", row), "guestos")).toBe(state);
});

test.each(["", "\n", "error: failed to connect to the hypervisor\n", "Name\n", table(" 1    guestos   dreaming")])(
  "%j is no answer",
  async (text) => {
    expect(await problemOf(() => stateIn(text, "guestos"))).toMatchObject({ code: "libvirt-answer-unclear" });
  },
);

test("a libvirt that does not answer is no state", async () => {
  const dead = { status: 1, stderr: "error: failed to connect to the hypervisor\n" };
  const { hypervisor } = on({ commands: { [LIST]: dead } });
  expect(await problemOf(async () => hypervisor.state("guestos"))).toMatchObject({ code: "tool-failed" });
});

test("a machine that libvirt has lost, and whose process lives, is no state either", async () => {
  const files = {
    "/run/libvirt/qemu/guestos.pid": "4711\n",
    "/proc/4711/cmdline": "/usr/bin/qemu\0-name\0guest=guestos,debug-threads=on\0",
  };
  const { hypervisor } = on({ commands: { [LIST]: table() }, files });
  expect(await problemOf(async () => hypervisor.state("guestos"))).toMatchObject({ code: "guest-process-left", found: "process 4711" });
});

test.each([
  {},
  { "/run/libvirt/qemu/guestos.pid": "x" },
  { "/run/libvirt/qemu/guestos.pid": "4711", "/proc/4711/cmdline": "sh\0guest=guestos2\0" },
])("no row and no process of its own is absent: %j", async (files) => {
  expect(await on({ commands: { [LIST]: table() }, files }).hypervisor.state("guestos")).toBe("absent");
});

test("a machine is handed over in a file that root alone reads", async () => {
  const machine = { name: "guestos", disk: { path: "/d", kind: "file" }, cmdline: "a & b" } as VirtualMachine;
  const whole = {
    ...machine,
    uuid: "u",
    accelerated: false,
    memory: 1,
    hugePages: false,
    processors: 1,
    kernel: "/k",
    initrd: "/i",
    serialLog: "/s",
  };
  const { host, hypervisor } = on({ commands: { "virsh --connect qemu:///system create --validate /run/guest/guestos.xml": "" } });
  await hypervisor.start(whole);
  expect(String(host.files.get("/run/guest/guestos.xml"))).toContain("<cmdline>a &amp; b</cmdline>");
  expect(await host.stat("/run/guest/guestos.xml")).toMatchObject({ mode: 0o600 });
});

test("a machine that somebody has defined, and that has ended, loses its name", async () => {
  const undefine = "virsh --connect qemu:///system undefine --nvram --domain guestos";
  const { host, hypervisor } = on({ commands: { [LIST]: table(" -    guestos   shut off"), [undefine]: "" } });
  await hypervisor.destroy("guestos");
  expect(host.effects).toContain(`run ${undefine}`);
});

test("an absent machine is not destroyed a second time", async () => {
  const { host, hypervisor } = on({ commands: { [LIST]: table() } });
  await hypervisor.destroy("guestos");
  expect(host.effects).toEqual([`run ${LIST}`]);
});
