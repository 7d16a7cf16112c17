import { expect, test } from "vitest";
import { changedUnits, presentUnits } from "../../../../src/boot/graph.ts";
import type { RecordEvent } from "../../../../src/boot/record/record.ts";
import { runUnits } from "../../../../src/boot/runner.ts";
import { guestosLayout } from "../../../../src/config/layout/layout.ts";
import { profiles } from "../../../../src/profiles/profiles.ts";
import { blockOf } from "../../../../src/upgrade/boot-state.ts";
import { vmType } from "../../../../src/units/injection/vm-type.ts";
import { type FakeHost, fakeHost } from "../../../support/fake-host.ts";
import { problemOf } from "../../../support/problem-of.ts";
import { runFacts } from "../../../support/run-units.ts";
import { testMachine } from "../../../support/test-machine.ts";

/** A machine that runs A, with the grubenv that names a slot, and a type of VM. */
function machine(alternative: "A" | "B", type?: string): FakeHost {
  return fakeHost({
    files: {
      "/proc/cmdline": "ro dfinity.system=A\n",
      [guestosLayout.grubenv]: blockOf({ alternative, cycle: "stable", trial: undefined }, []),
      ...(type === undefined ? {} : { [`${guestosLayout.guestVmType}/${type}`]: "" }),
    },
  });
}

test("a node in the slot that grubenv names waits for no medium; in the other slot the host must say what it is", async () => {
  expect(await vmType.plan(testMachine(machine("A")))).toEqual([]);
  for (const type of ["default", "upgrade", "unknown"]) expect(await vmType.plan(testMachine(machine("B", type)))).toEqual([]);
  for (const type of [undefined, "../evil"]) {
    const error: unknown = await Promise.resolve(vmType.plan(testMachine(machine("B", type)))).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ retryable: true, problem: { code: "vm-type-not-known" } });
  }
});

test("a machine that does not say which slot it runs is an error", async () => {
  expect(await problemOf(async () => vmType.plan(testMachine(fakeHost())))).toMatchObject({ code: "booted-system-unknown" });
});

/** The units of an upgrade VM. No other one may touch the store, the slots' state, or run the node: add a new unit where it belongs. */
const IN_UPGRADE_VM = [
  ...["mount-boot", "vm-type", "machine-id", "ssh-host-keys", "node-exporter-keys", "var", "config-injection", "ssh-account-keys"],
  ...["network-card", "network", "nftables", "hostname", "system-bus", "network-applied", "ipv6-monitor", "nftables-names"],
  ...["journalbeat", "journal-gateway", "node-exporter"],
];

/** Runs the whole chain, and the monitor's units, with plans that only say that they were asked. */
async function ran(
  host: FakeHost,
  onConfig: (asked: readonly string[]) => Promise<void>,
): Promise<{ readonly asked: readonly string[]; readonly notes: readonly string[] }> {
  const asked: string[] = [];
  const events: RecordEvent[] = [];
  const units = [...(await profiles.guestos.chain()), ...(await profiles.guestos.maintenance())];
  const spies = changedUnits(units, (unit) => ({
    ...unit,
    async plan(of) {
      asked.push(unit.name);
      if (unit.name === "config-injection") await onConfig(asked);
      return unit.name === "vm-type" ? vmType.plan(of) : [];
    },
  }));
  const { outcome } = await runUnits(spies, {
    machine: () => testMachine(host),
    facts: runFacts,
    sink: (event) => void events.push(event),
    signal: new AbortController().signal,
  });
  expect(outcome).toBe("done");
  return { asked: [...new Set(asked)], notes: events.flatMap((event) => (event.event === "note" ? [event.text] : [])) };
}

test.each(["upgrade", "unknown"])("in a VM of the type %s no unit of the node is asked, and each says why", async (type) => {
  const host = machine("B");
  // The type is known only some time after the disks could have been opened.
  const { asked, notes } = await ran(host, async () => {
    await new Promise((resolve) => void setTimeout(resolve, 150));
    host.files.set(`${guestosLayout.guestVmType}/${type}`, "");
  });
  expect(asked.toSorted()).toEqual(IN_UPGRADE_VM.toSorted());
  expect(new Set(notes)).toEqual(new Set([`absent: this is not the node itself: the type of this VM is ${type}`]));
  const units = [...(await profiles.guestos.chain()), ...(await profiles.guestos.maintenance())];
  expect(notes).toHaveLength(units.length - IN_UPGRADE_VM.length);
  expect((await presentUnits(units, testMachine(host))).map(({ name }) => name).toSorted()).toEqual(IN_UPGRADE_VM.toSorted());
});

test("the node itself has them all, and opens its disks while its medium is read", async () => {
  const host = machine("A");
  const before: string[] = [];
  const { asked, notes } = await ran(host, async (already) => {
    await new Promise((resolve) => void setTimeout(resolve, 50));
    before.push(...already);
    host.files.set(`${guestosLayout.guestVmType}/default`, "");
  });
  expect(notes).toEqual([]);
  expect(asked).toHaveLength((await profiles.guestos.chain()).length + (await profiles.guestos.maintenance()).length);
  expect(before).toEqual(expect.arrayContaining(["upgrade-state", "store-key", "var", "volumes", "volume-filesystems"]));
});

test("whatever the host says of its own slot, nothing of the store is mounted before it has said it", async () => {
  const host = machine("A");
  const { asked } = await ran(host, async () => {
    await new Promise((resolve) => void setTimeout(resolve, 50));
    host.files.set(`${guestosLayout.guestVmType}/upgrade`, "");
  });
  expect(asked).toContain("store-key");
  for (const name of ["volume-mounts", "injected-data", "upgrade-data-store", "data-owners", "orchestrator"])
    expect(asked).not.toContain(name);
});
