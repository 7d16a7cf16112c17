import { expect, vi } from "vitest";
import type { UnitView } from "../../../src/boot/record/run-view.ts";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";
import { guestos } from "../../support/chains.ts";
import { recordOf } from "../support/chain.ts";
import { injectedNode } from "../support/injected-node.ts";
import { lastingState } from "../support/lasting-state.ts";
import { BOOT_TIMEOUT, bootedNode, diskOf } from "../support/node.ts";
import { traceCredentials } from "../support/boot-trace.ts";
import { writeRoot } from "../support/changed-root.ts";
import { configFile, exampleUnit } from "../support/own-configuration.ts";

// A piece may have to boot the node again, more than once.
vi.setConfig({ testTimeout: 5 * BOOT_TIMEOUT });

export const NAME = "node";

export const injected = await injectedNode();
/** The node after its first boot, whose memory is measured. */
export const node = bootedNode({ name: NAME, size: "8G", processors: 2, config: injected.config, observed: false });

/** What must show nowhere on the node. */
export const clean = { secrets: injected.secrets };

/** What a boot must leave as it is, as it was before the last one. */
export const lasting: { before: Awaited<ReturnType<typeof lastingState>> } = { before: {} };

/**
 * The same disk after a reboot that the guest was asked for, without the medium.
 *
 * In a new QEMU: in one that goes on, the emulator's cache of translated code makes the firmware's clearing of the memory
 * take minutes.
 */
export const rebooted = bootedNode(() =>
  node.use(async (vm) => {
    lasting.before = await lastingState(vm);
    await vm.qmp("set-action", { reboot: "shutdown" });
    await vm.shell.run("systemctl --no-block reboot");
    await vm.waitForSerial(/reboot: Restarting system/, { timeout: BOOT_TIMEOUT });
    await vm.ended;
    return { name: "node-rebooted", disk: diskOf(NAME), credentials: traceCredentials };
  }),
);

/** That disk after a power cut, in a machine with a second network card, with a unit and a configuration file of the image's owner. */
export const afterPowerCut = bootedNode(() =>
  rebooted.use(async (vm) => {
    // Flushed, and only written: the first must be there afterwards, the second leaves the file systems unclean.
    await vm.shell.ok(`for folder in /var/lib/ic/data /var/lib/ic/crypto /var/lib/ic/backup /var/lib /boot/grub; do
      echo kept >$folder/kept; sync $folder/kept; echo lost >$folder/lost; done`);
    lasting.before = await lastingState(vm);
    await writeRoot(vm, [...(await exampleUnit()), configFile("units:\n  hostname: { timeout: 45 }\n")]);
    await vm.powerCut();
    return { name: "node-after-a-power-cut", disk: diskOf(NAME), boot: "unverified", strayCard: true };
  }),
);

/** The units of all runs of this boot: those of the chain, and no others but `extra`. */
export async function unitsOf(vm: VirtualMachine, extra: readonly string[] = []): Promise<readonly UnitView[]> {
  const units = (await recordOf(vm)).runs.flatMap((run) => run.units);
  expect([...new Set(units.map(({ name }) => name))].toSorted()).toEqual([...guestos.map(({ name }) => name), ...extra].toSorted());
  return units;
}
