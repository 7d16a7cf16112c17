import { join } from "node:path";
import { stateFolder } from "../../image/paths.ts";
import type { Slot } from "../../src/config/layout/layout.ts";
import { grubBoot, otherSlot, readBootState } from "../../src/upgrade/boot-state.ts";
import type { Accelerator } from "../../lab/accelerator.ts";
import { directBoot } from "../../lab/direct-boot.ts";
import type { DiskAttachment } from "../../lab/qemu-command.ts";
import { startVirtualMachine } from "../../lab/start-virtual-machine.ts";
import type { VirtualMachine } from "../../lab/virtual-machine.ts";
import { BOOT_TIMEOUT } from "../vm/support/node.ts";
import { startedByGrub, type UpgradeDocument, upgradeOf } from "../vm/support/upgrade.ts";
import { faultsOf } from "./check-recovery.ts";
import type { Booted, Judge } from "./explorer.ts";
import { GRUB_PARTITION } from "./inspect-upgrade.ts";
import { readAsGrub } from "./read-as-grub.ts";
import type { RecordedUpgrade } from "./record-upgrade.ts";
import { inspectedAt, type Recovered, SHORT_BOOT } from "./recovered.ts";

/** What nodes are booted on, and the update. */
export interface UpgradeMachine {
  readonly accelerator: Accelerator;
  readonly update: RecordedUpgrade["update"];
}

interface Started {
  readonly vm: VirtualMachine;
  /** What the boot loader says that it starts: "B (failsafe_check)". */
  readonly system: () => Promise<string>;
}

/**
 * With the update on a second disk, and no medium: by firmware and GRUB, or, in a machine that has neither, as a host boots the kernel of a
 * guest.
 */
async function start(machine: string, disk: DiskAttachment, { accelerator, update: { path } }: UpgradeMachine): Promise<Started> {
  if (accelerator.kind !== "user-mode") {
    const vm = await startVirtualMachine({ name: machine, disk, accelerator, extraDisks: [{ path, format: "raw" }] });
    return { vm, system: async () => startedByGrub(vm) };
  }
  const { slot, cycle, boot } = await directBoot(disk, join(stateFolder(machine), "host"));
  const vm = await startVirtualMachine({
    ...{ name: machine, disk, accelerator, media: [{ id: "update", image: path }] },
    boot: { ...boot, cmdline: [boot.cmdline, ...SHORT_BOOT].join(" ") },
  });
  return { vm, system: async () => `${slot} (${cycle})` };
}

/** Boots the disk to the end of the chain, inspects it, and pulls the plug. */
export async function upgradedNode(name: string, disk: DiskAttachment, machine: UpgradeMachine): Promise<Recovered> {
  const started = await start(name, disk, machine);
  await using vm = started.vm;
  return await inspectedAt(vm);
}

/** Boots what a cut left of an upgrade as GRUB does, and goes on with the upgrade. @param undisturbed nodes, by what runs */
export function upgradeJudge(machine: UpgradeMachine, undisturbed: Readonly<Record<Slot, Recovered["state"]>>): Judge {
  return async (name, attachment, { disk, config }) => {
    const { slot, block } = grubBoot(readAsGrub(disk.path, "grubenv", GRUB_PARTITION));
    const foretold = `${slot} (${readBootState(block).state.cycle})`;
    const { vm: owned, system } = await start(name, attachment, machine);
    await using vm = owned;
    const started = await system();
    const after = await inspectedAt(vm);
    const upgrade = await goneOn(vm, machine, slot);
    return {
      outcome: `${started}, ${upgrade.outcome}`,
      redone: after.redone,
      faults: [
        ...(started === foretold ? [] : [`it starts ${started}, and not ${foretold}`]),
        ...faultsOf(config, { ...after, state: besidesTheUpgrade(after.state, slot) }, besidesTheUpgrade(undisturbed[slot], slot), slot),
        ...upgrade.faults,
      ],
    };
  };
}

/** Lets the upgrade go on, and judges what came of it. */
async function goneOn(vm: VirtualMachine, machine: UpgradeMachine, slot: Slot): Promise<Pick<Booted, "outcome" | "faults">> {
  try {
    const found = await upgradeOf(vm);
    const ended = await finished(vm, machine, found);
    return { outcome: `B ${found.slots.B.kind}; ${ended.phase}, next ${ended.next}`, faults: upgradeFaults(found, ended, slot) };
  } catch (error) {
    return { outcome: "stuck", faults: [`the upgrade did not go on: ${error instanceof Error ? error.message : String(error)}`] };
  }
}

/** Confirms B, or makes it ready to be tried, as far as that has not been done. */
async function finished(
  vm: VirtualMachine,
  { accelerator, update: { bytes, sha256 } }: UpgradeMachine,
  { running, slots }: UpgradeDocument,
): Promise<UpgradeDocument> {
  const guestosBoot = async (words: string, input = ":"): Promise<string> =>
    vm.shell.ok(`${input} | guestos-boot upgrade ${words}`, { timeout: BOOT_TIMEOUT });
  const updateDevice = accelerator.kind === "user-mode" ? "/dev/ubdb" : "/dev/vdb";
  if (running === "B") await guestosBoot("confirm");
  else {
    // One that was tried and not confirmed is not taken again, unless someone says so.
    if (slots.B.kind === "failed") await guestosBoot(`forget ${sha256}`);
    if (slots.B.kind !== "installed") await guestosBoot(`install --sha256 ${sha256} -`, `head -c ${bytes} ${updateDevice}`);
    await guestosBoot("commit --no-reboot");
  }
  return upgradeOf(vm);
}

/** @param found after the boot @param ended after the upgrade went on */
export function upgradeFaults(found: UpgradeDocument, ended: UpgradeDocument, slot: Slot): readonly string[] {
  const { grubenv, running, toDo, slots } = found;
  const wanted = slot === "B" ? { phase: "stable", B: "proven" } : { phase: "committed", B: "installed" };
  return [
    ...(running === slot ? [] : [`${running} runs, and not ${slot}`]),
    ...(slots.A.kind === "proven" ? [] : [`A is called ${slots.A.kind}, not proven`]),
    ...toDo.map((write) => `the boot left something to do: ${write}`),
    ...grubenv.faults.map((fault) => `grubenv: ${fault}`),
    ...(ended.phase === wanted.phase ? [] : [`the upgrade ends ${ended.phase}, not ${wanted.phase}`]),
    ...(ended.next === "B" ? [] : [`after the upgrade ${ended.next} is next`]),
    ...(ended.slots.B.kind === wanted.B ? [] : [`after the upgrade B is called ${ended.slots.B.kind}, not ${wanted.B}`]),
  ];
}

/** What an upgrade may change is judged apart: also the note of B's /var, and what is left of one that was being written until B writes it again. */
function besidesTheUpgrade(state: Recovered["state"], running: Slot): Recovered["state"] {
  const changing = new RegExp(`^\\./slots|^\\./intents/\\.?var-B|^var-B\\.json|[^\\w]${otherSlot(running)}_(boot|root|var)\\b`);
  const parts = Object.entries(state).filter(([part]) => part !== "grubenv");
  return Object.fromEntries(parts.map(([part, lines]) => [part, lines.filter((line) => !changing.test(line))]));
}
