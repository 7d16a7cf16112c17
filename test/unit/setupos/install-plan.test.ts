import { expect, test } from "vitest";
import { type InstallPlan, planInstall, requireTargets } from "../../../src/setupos/install-plan.ts";
import { PHASES, type Phase, RECORD_OFFSET, readInstallRecord, writeInstallRecord } from "../../../src/setupos/install-record.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { type NodeMachine, nodeHost, nodeMachine, nvme, STICK } from "../../support/node-machines.ts";

const INPUT = "a".repeat(32);
const TWO: Partial<NodeMachine> = { disks: [STICK, nvme(0), nvme(1)] };
const ESP = 1024 * 1024;

/** A machine whose drives keep what is written to them. */
function machineWith(machine: Partial<NodeMachine> = TWO): FakeHost & { readonly start: (drive: string) => void } {
  const host = nodeHost(nodeMachine(machine));
  const sectors = new Map<string, Uint8Array>();
  return {
    ...host,
    start: (drive) => {
      const sector = new Uint8Array(512);
      sector.set([0x55, 0xaa], 510);
      sectors.set(`${drive} ${ESP}`, sector);
    },
    readAt: async (path, offset, length) => sectors.get(`${path} ${offset}`) ?? host.readAt(path, offset, length),
    writeInPlace: async (path, content, offset) => {
      sectors.set(`${path} ${offset ?? 0}`, Buffer.from(content));
    },
  };
}

/** Writes the record of an installation that has come so far, as the plan has it. */
async function reach(host: FakeHost, plan: InstallPlan, phase: Phase): Promise<void> {
  await writeInstallRecord(host, plan.targets[0]?.path ?? "", { ...plan.record, phase });
}

const codes = ({ mistakes }: InstallPlan): readonly string[] => mistakes.map(({ code }) => code);

test("on empty drives all is to do: both are taken, the first is the system drive, the stick is left", async () => {
  const plan = await planInstall(machineWith(), INPUT, undefined);
  expect(plan.phase).toBeUndefined();
  expect(codes(plan)).toEqual([]);
  expect(plan.targets.map(({ path }) => path)).toEqual(["/dev/nvme0n1", "/dev/nvme1n1"]);
  expect(plan.drives.find(({ device }) => device.path === "/dev/sda")?.leftBecause).toContain("this system runs from it");
});

test.each(PHASES.slice(0, 4))("an installation that was cut at %s goes on there, on the same drives, without a token", async (phase) => {
  const host = machineWith();
  await reach(host, await planInstall(host, INPUT, undefined), phase);
  const plan = await planInstall(host, INPUT, undefined);
  expect([plan.phase, codes(plan), plan.targets.length]).toEqual([phase, [], 2]);
});

test("one of another input begins again", async () => {
  const host = machineWith();
  await reach(host, await planInstall(host, INPUT, undefined), "guest-written");
  expect((await planInstall(host, "b".repeat(32), undefined)).phase).toBe("begun");
});

test("names of drives may change meanwhile: the system drive is the one with the record", async () => {
  const host = machineWith();
  const plan = await planInstall(host, INPUT, undefined);
  await writeInstallRecord(host, "/dev/nvme1n1", { ...plan.record, phase: "emptied" });
  expect((await planInstall(host, INPUT, undefined)).targets.map(({ path }) => path)).toEqual(["/dev/nvme1n1", "/dev/nvme0n1"]);
});

test.each(["begun", "host-written"] as const)(
  "a record at %s says nothing where firmware can start the drive: another installer leaves its sector",
  async (phase) => {
    const host = machineWith({ ...TWO, filled: ["/dev/nvme0n1"] });
    const before = await planInstall(host, INPUT, undefined);
    await writeInstallRecord(host, "/dev/nvme0n1", { ...before.record, phase });
    host.start("/dev/nvme0n1");
    const plan = await planInstall(host, INPUT, undefined);
    expect(plan.phase).toBeUndefined();
    expect(codes(plan)).toEqual(["disk-data-strange"]);
  },
);

test("a node that can be started is someone's: with another input nothing is begun again by itself", async () => {
  const host = machineWith();
  await reach(host, await planInstall(host, INPUT, undefined), "complete");
  expect((await planInstall(host, "b".repeat(32), undefined)).phase).toBeUndefined();
});

test("a complete record on drives without a whole node is no installation", async () => {
  const host = machineWith();
  await reach(host, await planInstall(host, INPUT, undefined), "complete");
  expect((await planInstall(host, INPUT, undefined)).phase).toBeUndefined();
});

test("a drive that was added is another set of drives", async () => {
  const host = machineWith();
  await reach(host, await planInstall(host, INPUT, undefined), "emptied");
  const more = machineWith({ disks: [STICK, nvme(0), nvme(1), nvme(2)] });
  const sector = await host.readAt("/dev/nvme0n1", RECORD_OFFSET, 512);
  await more.writeInPlace("/dev/nvme0n1", sector ?? "", RECORD_OFFSET);
  expect((await planInstall(more, INPUT, undefined)).phase).toBeUndefined();
});

test("without a drive that may be taken, it is said", async () => {
  expect(codes(await planInstall(machineWith({ disks: [STICK] }), INPUT, undefined))).toEqual(["disks-none"]);
});

test("a record with a flipped bit is none", async () => {
  const host = machineWith();
  await reach(host, await planInstall(host, INPUT, undefined), "begun");
  expect((await readInstallRecord(host, "/dev/nvme0n1"))?.phase).toBe("begun");
  const sector = Buffer.from((await host.readAt("/dev/nvme0n1", RECORD_OFFSET, 512)) ?? []);
  sector[60] = (sector[60] ?? 0) ^ 1;
  await host.writeInPlace("/dev/nvme0n1", sector, RECORD_OFFSET);
  expect(await readInstallRecord(host, "/dev/nvme0n1")).toBeUndefined();
});

test("nothing is written to a drive that is another one now, is gone, or is mounted", async () => {
  const { targets } = await planInstall(machineWith(), INPUT, undefined);
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
