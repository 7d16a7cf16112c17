import { afterAll } from "vitest";
import { withPanicRetry } from "../../../vm/panic-retry.ts";
import type { VirtualMachine } from "../../../vm/virtual-machine.ts";
import type { InjectedNode } from "./injected-node.ts";
import { type Pace } from "./power-cuts.ts";
import { diskOver, start } from "./upgrade.ts";
import { type UpgradeNode, upgradeNode } from "./upgrade-node.ts";

/** The grace before the restart, and it alone, is shortened; what an operator does is a drop-in too. */
export const goBackSoon = { "systemd.unit-dropin.guestos-go-back.service": "[Service]\nEnvironment=SECONDS_LEFT=3\n" };

/** For stories in which the power is not cut. */
export const noCuts: Pace = {
  random: () => 1,
  pause: { install: 3_600_000, commit: 3_600_000, "first boot": 3_600_000, confirm: 3_600_000 },
  growth: 1,
};

export interface UpgradeStories {
  /** The machine that all stories of a file begin with. */
  readonly readyNode: () => Promise<UpgradeNode>;
  /** Tells a story on a disk of its own. Where the emulator fell over, from the beginning. */
  readonly story: (
    name: string,
    base: (ready: UpgradeNode) => string,
    tell: (disk: string, ready: UpgradeNode) => Promise<void>,
  ) => Promise<void>;
  /** Starts a machine that is switched off after the last test at the latest. */
  readonly boot: (...args: Parameters<typeof start>) => Promise<VirtualMachine>;
}

/** One machine is prepared, and its disk kept at several moments: each story goes on from one of them, can be told alone, and again. */
export function upgradeStories(name: string, injected: InjectedNode, pace: Pace): UpgradeStories {
  let prepared: Promise<UpgradeNode> | undefined;
  const readyNode = async (): Promise<UpgradeNode> => (prepared ??= withPanicRetry(async () => upgradeNode(name, injected, pace)));
  const running = new Set<VirtualMachine>();
  afterAll(async () => {
    for (const vm of running) await vm.powerCut();
  });
  return {
    readyNode,
    async story(of, base, tell) {
      const ready = await readyNode();
      await withPanicRetry(async () => tell(await diskOver(base(ready), of), ready));
    },
    async boot(...args) {
      const vm = await start(...args);
      running.add(vm);
      void vm.ended.then(() => running.delete(vm));
      return vm;
    },
  };
}
