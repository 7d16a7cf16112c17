import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { deadlineIn, pause, systemClock } from "../../../../src/base/clock.ts";
import { GUEST } from "../../../../src/guest/description.ts";
import type { GuestState } from "../../../../src/guest/guest-state.ts";
import { supervise } from "../../../../src/guest/supervise.ts";
import { domainXml } from "../../../../src/system/hypervisor/domain-xml.ts";
import type { MachineState } from "../../../../src/system/hypervisor/hypervisor.ts";
import { libvirtPlaces, virsh } from "../../../../src/system/hypervisor/virsh.ts";
import { systemHost } from "../../../../src/system/host.ts";
import { blockOf } from "../../../../src/upgrade/boot-state.ts";
import { bootFiles, guestDisk, testPlaces } from "../../../support/guest-disk.ts";
import { namespaceRoot } from "../../../support/namespace.ts";
import { type PrivateLibvirt, privateLibvirt } from "../../../support/private-libvirt.ts";
import { problemOf } from "../../../support/problem-of.ts";
import { type LastAct, tinyKernel, tinyMachine } from "../../../support/tiny-guest.ts";

const NAME = GUEST.name;
/** One for all: what a test mounts later, the daemons do not see. */
const root = namespaceRoot();
const serialLog = join(root, "serial.log");
const hypervisor = virsh(systemHost(), { ...libvirtPlaces, folder: join(root, "run") });
let libvirt: PrivateLibvirt;

beforeAll(async () => {
  libvirt = await privateLibvirt(root);
});
afterEach(async () => hypervisor.destroy(NAME));
afterAll(async () => libvirt.stop());

const machine = () => ({ ...tinyMachine(root, NAME), serialLog });
const serial = (): string => (existsSync(serialLog) ? readFileSync(serialLog, "latin1") : "");
const pid = (): number => Number(readFileSync(join(libvirtPlaces.pids, `${NAME}.pid`), "utf8"));
const lives = (): boolean => existsSync(`/proc/${pid()}/cmdline`);

async function started(last: LastAct): Promise<void> {
  writeFileSync(join(root, "kernel"), tinyKernel("GUESTOS BOOT SUCCESS\n", last));
  await hypervisor.start(machine());
}

async function until(what: string, is: () => Promise<boolean> | boolean, within = 30_000): Promise<void> {
  const left = deadlineIn(within);
  while (!(await is())) {
    if (left() === 0) throw new Error(`${what}: not within ${within} ms`);
    await pause(systemClock, 50);
  }
}

const is = (state: MachineState) => async () => (await hypervisor.state(NAME)) === state;

test.each(["power off", "reset"] as const)("a machine is absent after its guest's %s", async (last) => {
  await started(last);
  await until("absent", is("absent"));
  expect(serial()).toContain("GUESTOS BOOT SUCCESS");
});

test("a guest that heeds the power button ends by it; the events say so", async () => {
  const stop = new AbortController();
  let changes = 0;
  const followed = hypervisor.follow(NAME, stop.signal, () => (changes += 1));
  await started("obey");
  await until("up", () => serial().includes("SUCCESS"));
  expect(await hypervisor.state(NAME)).toBe("running");
  // The one call that each follower makes soon after its start is over.
  await pause(systemClock, 1500);
  const before = changes;
  await hypervisor.shutdown(NAME);
  await until("absent", is("absent"));
  await until("an event", () => changes > before);
  stop.abort();
  await followed;
});

test("a guest that hangs is destroyed, and its name is free", async () => {
  await started("hang");
  await hypervisor.destroy(NAME);
  expect(await hypervisor.state(NAME)).toBe("absent");
  await hypervisor.destroy(NAME);
  await started("hang");
  expect(await hypervisor.state(NAME)).toBe("running");
});

test("a machine that was suspended is paused; one whose process is killed is absent", async () => {
  await started("hang");
  spawnSync("virsh", ["--connect", "qemu:///system", "suspend", NAME]);
  expect(await hypervisor.state(NAME)).toBe("paused");
  process.kill(pid(), "SIGKILL");
  await until("absent", is("absent"));
});

test("a machine of that name that somebody has defined is in the way, until it is cleared", async () => {
  const file = join(root, "stale.xml");
  writeFileSync(file, domainXml(machine()));
  expect(spawnSync("virsh", ["--connect", "qemu:///system", "define", file]).status).toBe(0);
  expect(await hypervisor.state(NAME)).toBe("shut off");
  await hypervisor.destroy(NAME);
  expect(await hypervisor.state(NAME)).toBe("absent");
});

test("a machine that cannot start says why", async () => {
  const problem = await problemOf(async () => hypervisor.start({ ...machine(), kernel: "/nowhere" }));
  expect(problem).toMatchObject({ code: "tool-failed", found: expect.stringContaining("/nowhere") });
  expect(await hypervisor.state(NAME)).toBe("absent");
});

test("libvirtd is killed, and started again: the guest runs on, and is started once", async () => {
  const places = { ...testPlaces(root), serialLog, libvirt: { ...libvirtPlaces, folder: join(root, "run") } };
  mkdirSync(join(root, "run/guestos-boot"), { recursive: true });
  const disk = guestDisk(root, blockOf({ alternative: "A", cycle: "stable", trial: undefined }, []));
  disk.slot("A", bootFiles("A", "hang", "GUESTOS BOOT SUCCESS\n"));
  const told: GuestState[] = [];
  const stop = new AbortController();
  let starts = 0;
  const running = supervise({
    host: systemHost(),
    places,
    hypervisor,
    async describe({ kernel, initrd, cmdline }) {
      starts += 1;
      return { ...machine(), kernel, initrd, cmdline };
    },
    clock: systemClock,
    grace: 500,
    stop: stop.signal,
    ready: async () => undefined,
    publish: async (state) => void told.push(state),
  });
  await until("up", () => told.at(-1)?.boot === "success");
  await libvirt.kill();
  const before = pid();
  await until("unknown", () => told.at(-1)?.phase === "unknown");
  expect(lives()).toBe(true);
  await libvirt.start();
  await until("running", () => told.at(-1)?.phase === "running");
  expect(pid()).toBe(before);
  expect(starts).toBe(1);
  // What ends while libvirt is away is seen when it is back.
  await libvirt.kill();
  process.kill(before, "SIGKILL");
  await libvirt.start();
  await until("a second start", () => starts === 2 && told.at(-1)?.phase === "running");
  stop.abort();
  await running;
  expect(await hypervisor.state(NAME)).toBe("absent");
});
