import { expect, test } from "vitest";
import { type InstallPlan, planInstall, requireTargets } from "../../../src/setupos/install-plan.ts";
import { PHASES, type Phase, RECORD_OFFSET, readInstallRecord, writeInstallRecord } from "../../../src/setupos/install-record.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { type NodeMachine, nodeHost, nodeMachine, nvme, STICK } from "../../support/node-machines.ts";

const INPUT = "a".repeat(32);
const TWO: Partial<NodeMachine> = { disks: [STICK, nvme(0), nvme(1)] };
const ESP = 1024 * 1024;

function someonesBootLoader(): Uint8Array {
  const sectors = Buffer.alloc(4096, 9);
  sectors.set([0x55, 0xaa], 510);
  return sectors;
}

/** A machine whose drives keep what is written to them. */
function machineWith(machine: Partial<NodeMachine> = TWO): FakeHost & { readonly start: (drive: string, content?: Uint8Array) => void } {
  const host = nodeHost(nodeMachine(machine));
  const sectors = new Map<string, Uint8Array>();
  return {
    ...host,
    start: (drive, content = someonesBootLoader()) => {
      sectors.set(`${drive} ${ESP}`, content);
      sectors.set(`${drive} 512`, Buffer.from("EFI PART".padEnd(512, "\0")));
    },
    readAt: async (path, offset, length) => sectors.get(`${path} ${offset}`)?.subarray(0, length) ?? host.readAt(path, offset, length),
    writeInPlace: async (path, content, offset) => {
      sectors.set(`${path} ${offset ?? 0}`, Buffer.from(content));
    },
  };
}

/** Writes the record of an installation that has come so far, as the plan has it. */
async function reach(host: FakeHost, plan: InstallPlan, phase: Phase): Promise<void> {
  await writeInstallRecord(host, plan.targets[0]?.path ?? "", { ...plan.record, phase });
}

/** The beginning of the boot loader that the stick has. */
const BOOT_LOADER = Buffer.alloc(8192, "boot loader");
BOOT_LOADER.set([0x55, 0xaa], 510);

async function planned(host: FakeHost, input: string, token: string | undefined): Promise<InstallPlan> {
  return planInstall(host, input, token, async () => BOOT_LOADER);
}

const codes = ({ mistakes }: InstallPlan): readonly string[] => mistakes.map(({ code }) => code);

test("on empty drives all is to do: both are taken, the first is the system drive, the stick is left", async () => {
  const plan = await planned(machineWith(), INPUT, undefined);
  expect(plan.phase).toBeUndefined();
  expect(codes(plan)).toEqual([]);
  expect(plan.targets.map(({ path }) => path)).toEqual(["/dev/nvme0n1", "/dev/nvme1n1"]);
  expect(plan.drives.find(({ device }) => device.path === "/dev/sda")?.leftBecause).toContain("this system runs from it");
});

test.each(PHASES.slice(0, 4))("an installation that was cut at %s goes on there, on the same drives, without a token", async (phase) => {
  const host = machineWith();
  await reach(host, await planned(host, INPUT, undefined), phase);
  const plan = await planned(host, INPUT, undefined);
  expect([plan.phase, codes(plan), plan.targets.length]).toEqual([phase, [], 2]);
});

test("one of another input begins again", async () => {
  const host = machineWith();
  await reach(host, await planned(host, INPUT, undefined), "guest-written");
  expect((await planned(host, "b".repeat(32), undefined)).phase).toBe("begun");
});

test("names of drives may change meanwhile: the system drive is the one with the record", async () => {
  const host = machineWith();
  const plan = await planned(host, INPUT, undefined);
  await writeInstallRecord(host, "/dev/nvme1n1", { ...plan.record, phase: "emptied" });
  expect((await planned(host, INPUT, undefined)).targets.map(({ path }) => path)).toEqual(["/dev/nvme1n1", "/dev/nvme0n1"]);
});

test.each(["begun", "host-written"] as const)(
  "a record at %s says nothing where firmware can start the drive: another installer leaves its sector",
  async (phase) => {
    const host = machineWith({ ...TWO, filled: ["/dev/nvme0n1"] });
    const before = await planned(host, INPUT, undefined);
    await writeInstallRecord(host, "/dev/nvme0n1", { ...before.record, phase });
    host.start("/dev/nvme0n1");
    const plan = await planned(host, INPUT, undefined);
    expect(plan.phase).toBeUndefined();
    expect(codes(plan)).toEqual(["disk-data-strange"]);
  },
);

test.each(PHASES.slice(0, 5))(
  "a record at %s says nothing where firmware can start another of the drives: a node was installed there since",
  async (phase) => {
    const host = machineWith({ ...TWO, filled: ["/dev/nvme1n1"] });
    await reach(host, await planned(host, INPUT, undefined), phase);
    host.start("/dev/nvme1n1");
    const plan = await planned(host, INPUT, undefined);
    expect(plan.phase).toBeUndefined();
    expect(codes(plan)).toEqual(["disk-data-strange"]);
  },
);

test("what LVM has at that place of another drive of ours is no boot loader: such a drive has no partitions", async () => {
  const host = machineWith();
  await reach(host, await planned(host, INPUT, undefined), "guest-written");
  await host.writeInPlace("/dev/nvme1n1", someonesBootLoader(), ESP);
  expect((await planned(host, INPUT, undefined)).phase).toBe("guest-written");
});

test("what is configured goes on behind its own boot loader, also a torn one, and not behind someone's", async () => {
  const torn = Buffer.from(BOOT_LOADER.subarray(0, 4096));
  torn.fill(0, 1024, 2048);
  for (const [content, phase] of [
    [BOOT_LOADER.subarray(0, 4096), "configured"],
    [torn, "configured"],
    [someonesBootLoader(), undefined],
  ] as const) {
    const host = machineWith();
    await reach(host, await planned(host, INPUT, undefined), "configured");
    host.start("/dev/nvme0n1", content);
    expect((await planned(host, INPUT, undefined)).phase).toBe(phase);
  }
});

test("a drive that cannot be read is named with its serial number, and what to do", async () => {
  await expect(planned(machineWith({ ...TWO, broken: ["/dev/nvme1n1"] }), INPUT, undefined)).rejects.toMatchObject({
    problem: {
      code: "drive-not-read",
      what: expect.stringMatching(/^\/dev\/nvme1n1, serial number \S+, cannot be read$/) as unknown,
      found: expect.stringContaining("EIO") as unknown,
    },
  });
});

test("a drive with nothing but the record of an installation that was cut is empty: no token is needed for other drives", async () => {
  const host = machineWith();
  await reach(host, await planned(host, INPUT, undefined), "emptied");
  const sector = (await host.readAt("/dev/nvme0n1", RECORD_OFFSET, 512)) ?? new Uint8Array();
  const changed = machineWith({ disks: [STICK, nvme(0), nvme(2)] });
  await changed.writeInPlace("/dev/nvme0n1", sector, RECORD_OFFSET);
  const whole = changed.readAt;
  const withRecord: FakeHost = {
    ...changed,
    async readAt(path, offset, length) {
      const bytes = Buffer.from((await whole(path, offset, length)) ?? []);
      if (path === "/dev/nvme0n1" && offset === 0 && length > RECORD_OFFSET) bytes.set(sector, RECORD_OFFSET);
      return bytes;
    },
  };
  const plan = await planned(withRecord, INPUT, undefined);
  expect([plan.phase, codes(plan)]).toEqual([undefined, []]);
});

test("a node that can be started is someone's: with another input nothing is begun again by itself", async () => {
  const host = machineWith();
  await reach(host, await planned(host, INPUT, undefined), "complete");
  expect((await planned(host, "b".repeat(32), undefined)).phase).toBeUndefined();
});

test("a complete record on drives without a whole node is no installation", async () => {
  const host = machineWith();
  await reach(host, await planned(host, INPUT, undefined), "complete");
  expect((await planned(host, INPUT, undefined)).phase).toBeUndefined();
});

test("a drive that was added is another set of drives", async () => {
  const host = machineWith();
  await reach(host, await planned(host, INPUT, undefined), "emptied");
  const more = machineWith({ disks: [STICK, nvme(0), nvme(1), nvme(2)] });
  const sector = await host.readAt("/dev/nvme0n1", RECORD_OFFSET, 512);
  await more.writeInPlace("/dev/nvme0n1", sector ?? "", RECORD_OFFSET);
  expect((await planned(more, INPUT, undefined)).phase).toBeUndefined();
});

test("without a drive that may be taken, it is said", async () => {
  expect(codes(await planned(machineWith({ disks: [STICK] }), INPUT, undefined))).toEqual(["disks-none"]);
});

test("a record with a flipped bit is none", async () => {
  const host = machineWith();
  await reach(host, await planned(host, INPUT, undefined), "begun");
  expect((await readInstallRecord(host, "/dev/nvme0n1"))?.phase).toBe("begun");
  const sector = Buffer.from((await host.readAt("/dev/nvme0n1", RECORD_OFFSET, 512)) ?? []);
  sector[60] = (sector[60] ?? 0) ^ 1;
  await host.writeInPlace("/dev/nvme0n1", sector, RECORD_OFFSET);
  expect(await readInstallRecord(host, "/dev/nvme0n1")).toBeUndefined();
});

test("nothing is written to a drive that is another one now, is gone, or is mounted", async () => {
  const { targets } = await planned(machineWith(), INPUT, undefined);
  await requireTargets(machineWith(), targets);
  for (const [disks, mounts] of [
    [[STICK, nvme(0, { serial: "OTHER" }), nvme(1)], undefined],
    [[STICK, nvme(0)], undefined],
    [[STICK, nvme(0), nvme(1, { mountpoints: ["/mnt"] })], undefined],
    [[STICK, nvme(0, { "maj:min": "259:99" }), nvme(1)], undefined],
  ] as const)
    await expect(requireTargets(machineWith({ disks: [...disks], ...(mounts === undefined ? {} : { mounts }) }), targets)).rejects.toThrow(
      /not as it was when the drives were chosen/,
    );
});
