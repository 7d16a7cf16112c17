import { expect, test } from "vitest";
import { isConflict, type Plan } from "../../../../src/boot/unit.ts";
import { setupos } from "../../../../src/profiles/setupos.ts";
import { type Phase, PHASES, readInstallRecord, writeInstallRecord } from "../../../../src/setupos/install-record.ts";
import { installationOf } from "../../../../src/units/installer/installation.ts";
import { setupDisk } from "../../../../src/units/installer/setup-disk.ts";
import type { FakeHost } from "../../../support/fake-host.ts";
import { nodeHost, nodeMachine, nvme, STICK } from "../../../support/node-machines.ts";
import { testMachine, type TestMachine } from "../../../support/test-machine.ts";

const IMAGE = { sha256: "0".repeat(64), bytes: 1, disk: 1, head: "0".repeat(64) };
const FILES = {
  "/run/guestos-boot/node-config.json": "{}",
  "/data/images.json": JSON.stringify({ format: 1, version: "1.2.3", hostos: IMAGE, guestos: IMAGE }),
  "/data/deployment.json": "{}",
};

/** A machine with two drives that keep what is written to them, and a stick with that config.ini. */
function machineWith(configIni: string | undefined, filled: readonly string[] = []): TestMachine<FakeHost> {
  const files = { ...FILES, ...(configIni === undefined ? {} : { "/config/config.ini": configIni }) };
  const host = nodeHost(nodeMachine({ disks: [STICK, nvme(0), nvme(1)], filled }), files);
  const sectors = new Map<string, Uint8Array>();
  const kept: FakeHost = {
    ...host,
    readAt: async (path, offset, length) => sectors.get(`${path} ${offset}`)?.subarray(0, length) ?? host.readAt(path, offset, length),
    run: async (command) => (command.program === "sync" ? { status: 0, stdout: "", stderr: "" } : host.run(command)),
    writeInPlace: async (path, content, offset) => {
      sectors.set(`${path} ${offset ?? 0}`, Buffer.from(content));
    },
  };
  return testMachine(kept, setupos.layout);
}

/** Writes the record of an installation of the same stick that has come so far. */
async function reach(machine: TestMachine<FakeHost>, phase: Phase, others: { readonly input?: string } = {}): Promise<void> {
  const { plan } = await installationOf(machine);
  await writeInstallRecord(machine.host, plan.targets[0]?.path ?? "", { ...plan.record, ...others, phase });
}

const descriptions = (plan: Plan): readonly string[] => {
  if (isConflict(plan)) throw new Error(JSON.stringify(plan));
  return plan.map(({ description }) => description);
};

test.each([undefined, ...PHASES.slice(0, 5)])(
  "a rehearsal stops before the first drive is touched, however far an installation is: %s",
  async (phase) => {
    const machine = machineWith("rehearse=true\n", ["/dev/nvme1n1"]);
    if (phase !== undefined) await reach(machine, phase);
    const plan = await setupDisk.plan(machine).catch((error: unknown) => error);
    // On drives of which nothing is known it is refused before that.
    if (phase === undefined) expect(plan).toMatchObject({ problem: { code: "disk-data-strange" } });
    else
      expect(plan).toMatchObject({
        conflict: {
          code: "only-a-rehearsal",
          found: expect.stringContaining(`an installation was cut here, and would go on: ${phase}`) as unknown,
        },
      });
  },
);

test("a config.ini that cannot be read any more is no permission", async () => {
  await expect(setupDisk.plan(machineWith(undefined))).rejects.toMatchObject({ problem: { code: expect.stringMatching(/./) as unknown } });
});

test("that an installation begins is noted before the first drive is emptied, also where one of another input had come farther", async () => {
  const machine = machineWith("");
  await reach(machine, "guest-written", { input: "c".repeat(32) });
  const [first, second] = (await setupDisk.plan(machine)) as readonly { readonly description: string; readonly run: () => Promise<void> }[];
  expect(first?.description).toBe("note on /dev/nvme0n1 that an installation has begun");
  expect(second?.description).toMatch(/^empty \/dev\/nvme0n1 /);
  await first?.run();
  expect(await readInstallRecord(machine.host, "/dev/nvme0n1")).toMatchObject({
    phase: "begun",
    input: expect.not.stringContaining("cccc") as unknown,
  });
});

test("a record of an earlier installation on another drive is taken away as one begins, so that the new one counts", async () => {
  const machine = machineWith("");
  const { plan } = await installationOf(machine);
  await writeInstallRecord(machine.host, "/dev/nvme1n1", { ...plan.record, phase: "complete" });
  await writeInstallRecord(machine.host, "/dev/nvme0n1", { ...plan.record, phase: "complete" });
  const [first] = (await setupDisk.plan(machine)) as readonly { readonly run: () => Promise<void> }[];
  await first?.run();
  expect(await readInstallRecord(machine.host, "/dev/nvme1n1")).toBeUndefined();
  expect((await installationOf(machine)).plan.phase).toBe("begun");
  expect(descriptions(await setupDisk.plan(machine))[0]).toContain("that an installation has begun");
});
