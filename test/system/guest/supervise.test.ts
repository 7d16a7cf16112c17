import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Clock, deadlineIn, pause, systemClock } from "../../../src/base/clock.ts";
import { ProblemError } from "../../../src/base/problem.ts";
import { GUEST } from "../../../src/guest/description.ts";
import { GuestState, readGuestState } from "../../../src/guest/guest-state.ts";
import type { GuestPlaces } from "../../../src/guest/places.ts";
import { supervise } from "../../../src/guest/supervise.ts";
import { systemHost } from "../../../src/system/host.ts";
import type { Hypervisor } from "../../../src/system/hypervisor/hypervisor.ts";
import { qemu } from "../../../src/system/hypervisor/qemu.ts";
import { blockOf, readBootState } from "../../../src/upgrade/boot-state.ts";
import { bootFiles, guestDisk, testPlaces } from "../../support/guest-disk.ts";
import { namespaceRoot } from "../../support/namespace.ts";
import { tinyMachine } from "../../support/tiny-guest.ts";

const SUCCESS = "GUESTOS BOOT SUCCESS\n";
let root: string;
let places: GuestPlaces;
let stop: AbortController;
let running: Promise<void>;
let told: GuestState[];
let starts: string[];

beforeEach(() => {
  root = namespaceRoot();
  places = testPlaces(root);
  mkdirSync(join(root, "run/guestos-boot"), { recursive: true });
  stop = new AbortController();
  running = Promise.resolve();
  told = [];
  starts = [];
});
afterEach(async () => {
  stop.abort();
  await running.catch(() => undefined);
  await qemu(systemHost(), places.folder).destroy(GUEST.name);
});

/** Begins to supervise; `real` lets a test stand between it and QEMU. */
function begin(
  over: (real: Hypervisor) => Partial<Hypervisor> = () => ({}),
  grace = 500,
  prepare: () => Promise<void> = async () => undefined,
  clock: Clock = systemClock,
): void {
  const host = systemHost();
  const real = qemu(host, places.folder);
  running = supervise({
    host,
    places,
    hypervisor: { ...real, ...over(real) },
    async describe({ slot, kernel, initrd, cmdline }) {
      await prepare();
      starts.push(slot);
      return { ...tinyMachine(root, GUEST.name), ...GUEST, kernel, initrd, cmdline, serialLog: places.serialLog };
    },
    clock,
    grace,
    stop: stop.signal,
    ready: async () => undefined,
    publish: async (state) => void told.push(state),
  });
}

async function until(what: string, is: () => boolean, within = 30_000): Promise<void> {
  const left = deadlineIn(within);
  while (!is()) {
    if (left() === 0)
      throw new Error(
        `${what}: not within ${within} ms: ${JSON.stringify(told.map(({ phase, failures, problem }) => [phase, failures, problem?.found]))}, starts ${starts.join("")}`,
      );
    await pause(systemClock, 20);
  }
}

const last = (): Partial<GuestState> => told.at(-1) ?? {};
const pid = (): number => Number(readFileSync(join(places.folder, `${GUEST.name}.pid`), "utf8"));
const block = (alternative: "A" | "B", cycle: "stable" | "first_boot") => blockOf({ alternative, cycle, trial: undefined }, []);

test("a guest that says it is up is so in its account, which is also a file; stopped, it obeys its power button", async () => {
  const disk = guestDisk(root, block("A", "stable"));
  disk.slot("A", bootFiles("A", "obey", SUCCESS));
  begin(undefined, 20_000);
  await until("up", () => last().boot === "success");
  expect(last()).toMatchObject({ phase: "running", slot: "A", onTrial: false, failures: 0 });
  expect(await readGuestState(systemHost(), places)).toEqual(last());
  expect(GuestState.safeParse(JSON.parse(readFileSync(places.state, "utf8"))).success).toBe(true);
  const began = systemClock.now();
  stop.abort();
  await running;
  expect(systemClock.now() - began).toBeLessThan(15);
  expect(told.slice(-2).map(({ phase }) => phase)).toEqual(["stopping", "stopped"]);
});

test("a guest that does not heed its power button is ended by force, once its grace is over", async () => {
  guestDisk(root, block("A", "stable"));
  begin();
  await until("running", () => last().phase === "running");
  stop.abort();
  await running;
  expect(await qemu(systemHost(), places.folder).state(GUEST.name)).toBe("absent");
});

test("a guest that does not end by force either is said so, also by the next supervisor, until it is started anew", async () => {
  guestDisk(root, block("A", "stable"));
  const dead = new ProblemError({ code: "tool-failed", what: "libvirt could not do it" });
  begin(() => ({ shutdown: async () => undefined, destroy: async () => Promise.reject(dead) }));
  await until("running", () => last().phase === "running");
  stop.abort();
  await expect(running).rejects.toThrow("the guest's machine has not ended");
  const left = { code: "guest-not-stopped", found: "running: libvirt could not do it" };
  expect(await readGuestState(systemHost(), places)).toMatchObject({ phase: "stopping", problem: left });
  stop = new AbortController();
  begin();
  await until("taken over", () => last().phase === "running");
  expect(last()).toMatchObject({ problem: left });
  process.kill(pid(), "SIGKILL");
  await until("started anew", () => last().phase === "running" && starts.length === 2);
  expect(last().problem).toBeUndefined();
});

test.each(["reset", "power off", "panic"] as const)(
  "a guest that ends by %s is started again, later each time, with the last it wrote",
  async (act) => {
    const disk = guestDisk(root, block("A", "stable"));
    disk.slot("A", bootFiles("A", act, "going down\n"));
    begin();
    await until("three starts", () => starts.length >= 3);
    expect(starts.join("")).toMatch(/^A+$/);
    const waits = told.filter(({ phase }) => phase === "waiting");
    expect(waits.map(({ failures }) => failures).slice(0, 2)).toEqual([1, 2]);
    expect(waits[0]?.lastLines?.join("\n")).toContain("going down");
    // At a start each log moves on by one.
    stop.abort();
    await running;
    expect(readFileSync(`${places.serialLog}-1`, "latin1")).toContain("going down");
  },
);

test("a guest that chose another slot and resets is started from that one; one that fails there is back on the old", async () => {
  const disk = guestDisk(root, block("B", "first_boot"));
  disk.slot("B", bootFiles("B", "reset"));
  disk.slot("A", bootFiles("A", "hang", SUCCESS));
  begin();
  await until("A is up", () => last().slot === "A" && last().boot === "success");
  expect(starts).toEqual(["B", "A"]);
  expect(last()).toMatchObject({ onTrial: false, problem: { code: "guest-fell-back" } });
  expect(readBootState(disk.block()).state).toMatchObject({ alternative: "A", cycle: "stable" });
});

test("a new system that says its boot failed is given up, though it runs on", async () => {
  const disk = guestDisk(root, block("B", "first_boot"));
  disk.slot("B", bootFiles("B", "hang", "GUESTOS BOOT FAILURE\n"));
  begin();
  await until("A runs", () => last().slot === "A" && last().phase === "running");
  expect(starts).toEqual(["B", "A"]);
});

test("a host that cannot prepare the start of a new system leaves it its one try", async () => {
  const disk = guestDisk(root, block("B", "first_boot"));
  disk.slot("B", bootFiles("B", "hang", SUCCESS));
  let isFull = true;
  begin(undefined, undefined, async () => {
    if (isFull) throw new ProblemError({ code: "test", what: "there is no space for the medium" });
  });
  await until("a failed start", () => last().phase === "waiting" && last().failures === 1);
  expect(readBootState(disk.block()).state).toMatchObject({ alternative: "B", cycle: "first_boot" });
  isFull = false;
  await until("B is up", () => last().slot === "B" && last().boot === "success");
  expect(last()).toMatchObject({ onTrial: true });
  expect(readBootState(disk.block()).state).toMatchObject({ alternative: "B", cycle: "failsafe_check" });
});

test("a new system that was confirmed is not given up, whatever it says", async () => {
  const disk = guestDisk(root, block("B", "first_boot"));
  disk.slot("B", bootFiles("B", "hang", "GUESTOS BOOT FAILURE\n"));
  begin((real) => ({
    async start(machine) {
      disk.setBlock(block("B", "stable"));
      await real.start(machine);
    },
  }));
  await until("known", () => last().boot === "failure" && last().onTrial === false);
  await pause(systemClock, 1500);
  expect(starts).toEqual(["B"]);
});

test("a guest that fails on both slots stays on the old one", async () => {
  const disk = guestDisk(root, block("B", "first_boot"));
  for (const slot of ["A", "B"] as const) disk.slot(slot, bootFiles(slot, "reset"));
  begin();
  await until("four starts", () => starts.length >= 4);
  expect(starts.slice(0, 4)).toEqual(["B", "A", "A", "A"]);
});

test("a stable guest that says its boot failed is left running", async () => {
  const disk = guestDisk(root, block("A", "stable"));
  disk.slot("A", bootFiles("A", "hang", "GUESTOS BOOT FAILURE\n"));
  begin();
  await until("failed", () => last().boot === "failure");
  await pause(systemClock, 1500);
  expect(starts).toEqual(["A"]);
  expect(last()).toMatchObject({ phase: "running", boot: "failure" });
});

test("a machine whose process is killed is started again", async () => {
  guestDisk(root, block("A", "stable"));
  begin();
  await until("running", () => last().phase === "running");
  process.kill(pid(), "SIGKILL");
  await until("two starts", () => starts.length === 2 && last().phase === "running");
  expect(last().failures).toBe(1);
});

test("while the machine cannot be inspected, nothing is started, and the one that runs goes on", async () => {
  guestDisk(root, block("A", "stable"));
  let isDead = false;
  const dead = new ProblemError({ code: "tool-failed", what: "libvirt does not answer" });
  begin((real) => ({
    state: async (name) => {
      if (isDead) throw dead;
      return real.state(name);
    },
  }));
  await until("running", () => last().phase === "running");
  const before = pid();
  isDead = true;
  await until("unknown", () => last().phase === "unknown", 15_000);
  expect(last()).toMatchObject({ problem: { code: "tool-failed" }, slot: "A" });
  isDead = false;
  await until("running again", () => last().phase === "running", 15_000);
  expect(starts).toEqual(["A"]);
  expect(pid()).toBe(before);
});

const LITTLE = { since: "2026-03-01T10:00:00Z", onTrial: false, failures: 0 };
test.each<readonly [string, (account: object) => object]>([
  ["that it runs", (account) => account],
  [
    "that it runs, and whose log went on in another file since",
    (account) => {
      renameSync(places.serialLog, `${places.serialLog}.0`);
      writeFileSync(places.serialLog, "");
      return account;
    },
  ],
  ["that it is held", (account) => ({ ...account, phase: "paused" })],
  // Then the block on its disk tells it.
  ["that it is held, and no more", () => ({ ...LITTLE, phase: "paused" })],
  ["that it is being started", () => ({ ...LITTLE, phase: "starting" })],
])(
  "a supervisor that was killed leaves the guest to the next one, which knows its slot, from an account that says %s",
  async (_, change) => {
    const disk = guestDisk(root, block("B", "first_boot"));
    disk.slot("B", bootFiles("B", "hang", SUCCESS));
    // It is cut off from its machine, and then ends without a word: the machine stays.
    let isCut = false;
    const cut = async (): Promise<never> => Promise.reject(new ProblemError({ code: "tool-failed", what: "it was killed" }));
    begin((real) => ({
      state: async (name) => (isCut ? cut() : real.state(name)),
      shutdown: async (name) => (isCut ? cut() : real.shutdown(name)),
      destroy: async (name) => (isCut ? cut() : real.destroy(name)),
    }));
    await until("up", () => last().boot === "success");
    const before = pid();
    const account = JSON.stringify(change(JSON.parse(readFileSync(places.state, "utf8")) as object));
    isCut = true;
    stop.abort();
    await expect(running).rejects.toThrow("it was killed");
    const host = systemHost();
    const real = qemu(host, places.folder);
    told = [];
    stop = new AbortController();
    await host.writeFile(places.state, account, { mode: 0o644 });
    running = supervise({
      host,
      places,
      hypervisor: real,
      describe: async () => Promise.reject(new Error("nothing is started")),
      clock: systemClock,
      grace: 100,
      stop: stop.signal,
      ready: async () => undefined,
      publish: async (state) => void told.push(state),
    });
    await until("known", () => last().boot === "success");
    expect(last()).toMatchObject({ phase: "running", slot: "B", onTrial: true });
    expect(pid()).toBe(before);
  },
);

test("a start that came about after it was given up is known as what it is", async () => {
  const disk = guestDisk(root, block("B", "first_boot"));
  disk.slot("B", bootFiles("B", "hang"));
  begin((real) => ({
    async start(machine) {
      await real.start(machine);
      throw new ProblemError({ code: "tool-timed-out", what: "virsh did not end within 60 s" });
    },
  }));
  await until("running", () => last().phase === "running");
  expect(last()).toMatchObject({ slot: "B", onTrial: true, problem: { code: "tool-timed-out" } });
  expect(starts).toEqual(["B"]);
  expect(readBootState(disk.block()).state).toMatchObject({ alternative: "B", cycle: "failsafe_check" });
});

test("a machine that cannot be started leaves a new system its one try", async () => {
  const disk = guestDisk(root, block("B", "first_boot"));
  disk.slot("B", bootFiles("B", "hang", SUCCESS));
  let failing = 2;
  begin((real) => ({
    async start(machine) {
      failing -= 1;
      if (failing >= 0) throw new ProblemError({ code: "test", what: "libvirt could not do it" });
      await real.start(machine);
    },
  }));
  await until("a failed start", () => last().phase === "waiting" && last().failures === 1);
  expect(last()).toMatchObject({ problem: { code: "test" } });
  expect(readBootState(disk.block()).state).toMatchObject({ alternative: "B", cycle: "first_boot" });
  await until("B is up", () => last().slot === "B" && last().boot === "success");
  expect(last()).toMatchObject({ onTrial: true });
  expect(starts).toEqual(["B", "B", "B"]);
  expect(readBootState(disk.block()).state).toMatchObject({ alternative: "B", cycle: "failsafe_check" });
});

test("a new system that the hypervisor refuses is left at the fifth refusal, however the one before it ended", async () => {
  const disk = guestDisk(root, block("A", "stable"));
  disk.slot("A", bootFiles("A", "reset"));
  const faster: Clock = {
    ...systemClock,
    now: () => systemClock.now() * 8,
    after: (milliseconds, then) => systemClock.after(milliseconds / 8, then),
  };
  const over = (real: Hypervisor): Partial<Hypervisor> => ({
    async start(machine) {
      if (starts.at(-1) === "B") {
        disk.slot("A", bootFiles("A", "hang", SUCCESS));
        throw new ProblemError({ code: "test", what: "no such kernel" });
      }
      // The first system chooses the new one, and ends at once.
      if (starts.length === 1) disk.setBlock(block("B", "first_boot"));
      await real.start(machine);
    },
  });
  begin(over, undefined, undefined, faster);
  await until("A is up", () => last().slot === "A" && last().boot === "success", 60_000);
  expect(starts.join("")).toBe("ABBBBBA");
  expect(last()).toMatchObject({ problem: { code: "guest-fell-back" } });
});

test("where the block was changed since, it is not written as it was", async () => {
  const disk = guestDisk(root, block("B", "first_boot"));
  let failing = 1;
  begin((real) => ({
    async start(machine) {
      failing -= 1;
      if (failing < 0) return real.start(machine);
      disk.setBlock(block("A", "stable"));
      throw new ProblemError({ code: "test", what: "libvirt could not do it" });
    },
  }));
  await until("running", () => last().phase === "running");
  expect(starts).toEqual(["B", "A"]);
  expect(readBootState(disk.block()).state).toMatchObject({ alternative: "A", cycle: "stable" });
});

test("a slot without a kernel is an error that says so, again and again; it comes up once there is one", async () => {
  const disk = guestDisk(root, block("A", "stable"));
  disk.slot("A", {});
  begin();
  await until("said", () => last().phase === "waiting" && (last().failures ?? 0) >= 2);
  expect(last()).toMatchObject({ problem: { code: "guest-slot-unusable" } });
  expect(last().nextStart).toMatch(/^\d{4}-.*Z$/);
  disk.slot("A", bootFiles("A", "hang"));
  await until("running", () => last().phase === "running");
});

test("a machine of that name that has ended is cleared away, and started anew", async () => {
  guestDisk(root, block("A", "stable"));
  let isStale = true;
  let cleared = 0;
  begin((real) => ({
    state: async (name) => (isStale ? "shut off" : real.state(name)),
    destroy: async (name) => {
      cleared += 1;
      isStale = false;
      return real.destroy(name);
    },
  }));
  await until("running", () => last().phase === "running");
  expect(cleared).toBe(1);
});

test("a flood on the serial port holds nothing up", async () => {
  const disk = guestDisk(root, block("A", "stable"));
  disk.slot("A", bootFiles("A", "flood", SUCCESS));
  begin();
  await until("up", () => last().boot === "success");
  stop.abort();
  await running;
  expect(last().phase).toBe("stopped");
});
