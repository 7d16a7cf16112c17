import { afterAll, expect } from "vitest";
import { withPanicRetry } from "../../../lab/panic-retry.ts";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";
import { guestosBoot } from "./chain.ts";
import type { InjectedNode } from "./injected-node.ts";
import { type Pace } from "./power-cuts.ts";
import { untilBooted } from "./node.ts";
import { diskOver, kept, start, startedByGrub, upgradeOf } from "./upgrade.ts";
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
  /** Starts a machine that is disabled after the last test at the latest. */
  readonly boot: (...args: Parameters<typeof start>) => Promise<VirtualMachine>;
}

/**
 * One machine is prepared, and its disk kept at several moments: each story goes on from one of them, can be told alone, and again.
 *
 * @param cutAt as of `upgradeNode`
 */
export function upgradeStories(name: string, injected: InjectedNode, pace: Pace, cutAt?: number): UpgradeStories {
  let prepared: Promise<UpgradeNode> | undefined;
  const readyNode = async (): Promise<UpgradeNode> => (prepared ??= withPanicRetry(async () => upgradeNode(name, injected, pace, cutAt)));
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

/** After an orderly fall-back, on a machine with a watchdog: A runs and is stable, nothing is lost, and the image is not taken again. */
export async function isOnAAgain(
  boot: UpgradeStories["boot"],
  name: string,
  disk: string,
  { before, image }: UpgradeNode,
): Promise<VirtualMachine> {
  const a = await boot(name, disk, { watchdog: true });
  expect(await startedByGrub(a)).toBe("A (stable)");
  await untilBooted(a);
  expect(await upgradeOf(a)).toMatchObject({
    ...{ running: "A", version: "0.1.0", phase: "stable", next: "A", toDo: [] },
    slots: { A: { kind: "proven" }, B: { kind: "failed", sha256: image.sha256 } },
    refused: [{ sha256: image.sha256 }],
  });
  expect(await kept(a)).toEqual(before);
  const again = await guestosBoot(a, `upgrade install --sha256 ${image.sha256} /dev/null`);
  expect(again.status).toBe(12);
  expect(again.stderr).toMatch(/tried or refused before/);
  // An orderly restart leaves clean file systems.
  expect(await a.shell.ok("guestos-boot status | grep -c 'not unmounted cleanly' || true")).toBe("0\n");
  return a;
}
