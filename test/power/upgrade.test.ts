import { expect, test, vi } from "vitest";
import * as z from "../../src/base/schema.ts";
import { withPanicRetry } from "../../lab/panic-retry.ts";
import { printable } from "../../lab/serial-log.ts";
import { filled, installFromInput } from "../support/documented/elsewhere.ts";
import { guestosBoot } from "../vm/support/chain.ts";
import { assertCleanBoot } from "../vm/support/clean-boot.ts";
import { injectedNode } from "../vm/support/injected-node.ts";
import { BOOT_TIMEOUT, untilBooted } from "../vm/support/node.ts";
import { diskOver, kept, startedByGrub, testImage, untilRestart, upgradeOf } from "../vm/support/upgrade.ts";
import { trialBoot, type UpgradeNode } from "../vm/support/upgrade-node.ts";
import { goBackSoon, isOnAAgain, noCuts, upgradeStories } from "../vm/support/upgrade-stories.ts";

/** Upgrades for which `make test` has no time: the way back into A, and a new system that no one confirms. */

vi.setConfig({ testTimeout: 6 * BOOT_TIMEOUT });

const injected = await injectedNode();
const { readyNode, story, boot } = upgradeStories("second-upgrade", injected, noCuts);

const Installed = z.looseObject({ root: z.object({ written: z.number(), identical: z.number(), zeroed: z.number() }) });

/**
 * B is confirmed, installs and commits A, which is tried and confirmed.
 *
 * @returns what the install counted
 */
async function assertWayBack(node: UpgradeNode): Promise<string> {
  const disk = await diskOver(node.committed, "second-upgrade-b");
  const next = await testImage("0.3.0");
  const { vm: b, snapshots } = await trialBoot("second-upgrade-b", disk, noCuts, { extraDisks: [{ path: next.path, format: "raw" }] });
  try {
    expect((await guestosBoot(b, "upgrade confirm")).status).toBe(0);
    const install = await b.shell.run(`${filled(installFromInput, { HASH: next.sha256, "update.tar.zst": "/dev/vdb" })} --json`, {
      timeout: BOOT_TIMEOUT,
    });
    expect(install.status, install.stderr).toBe(0);
    const { root, ...rest } = Installed.parse(JSON.parse(install.stdout));
    expect(rest).toMatchObject({ slot: "A", version: "0.3.0" });
    const commit = await guestosBoot(b, "upgrade commit --json");
    expect(JSON.parse(commit.stdout), commit.stderr).toEqual({ next: "A", restart: true });
    await untilRestart(b, BOOT_TIMEOUT);

    const a = await boot("second-upgrade-b", snapshots.file);
    expect(await startedByGrub(a)).toBe("A (failsafe_check)");
    expect(await untilBooted(a)).toBe("running");
    expect(await a.shell.ok("cat /opt/ic/share/version.txt")).toBe("0.3.0\n");
    expect((await guestosBoot(a, "upgrade confirm")).status).toBe(0);
    expect(await upgradeOf(a)).toMatchObject({
      ...{ running: "A", version: "0.3.0", phase: "stable", next: "A", refused: [] },
      slots: { A: { kind: "proven", version: "0.3.0" }, B: { kind: "proven", version: "0.2.0" } },
    });
    expect(await kept(a)).toEqual(node.before);
    await assertCleanBoot(a, { secrets: injected.secrets });
    await a.powerCut();
    return JSON.stringify(root);
  } finally {
    await b.powerCut();
  }
}

test("a B that stays installs A, which is tried, confirmed and stays", async ({ annotate }) => {
  const node = await readyNode();
  await annotate(`root image of A 0.3.0 over A 0.1.0: ${await withPanicRetry(async () => assertWayBack(node))}`);
});

test("a new system that works, and that no one confirms in time, is left, and A is as it was", () =>
  story(
    "second-upgrade-unconfirmed",
    ({ committed }) => committed,
    async (disk, ready) => {
      const b = await boot("second-upgrade-unconfirmed", disk, { credentials: goBackSoon });
      expect(await startedByGrub(b)).toBe("B (failsafe_check)");
      expect(await untilBooted(b)).toBe("running");
      // Now, and not at a time that a slow machine may not have reached it at.
      await b.shell.run(
        `mkdir -p /run/systemd/system/guestos-trial.timer.d
        printf '[Timer]\\nOnBootSec=\\nOnBootSec=1\\n' >/run/systemd/system/guestos-trial.timer.d/soon.conf
        systemctl daemon-reload && systemctl restart guestos-trial.timer`,
      );
      await untilRestart(b, BOOT_TIMEOUT);
      expect(printable(b.serial.text)).toMatch(/guestos-trial\[\d+\]: .*no one confirmed it in time/);
      const a = await isOnAAgain(boot, "second-upgrade-unconfirmed", disk, ready);
      await a.powerCut();
    },
  ));
