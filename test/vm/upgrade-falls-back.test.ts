import { expect, test, vi } from "vitest";
import { KernelPanicError } from "../../vm/problems.ts";
import { printable } from "../../vm/serial-log.ts";
import type { VirtualMachine } from "../../vm/virtual-machine.ts";
import { guestosBoot } from "./support/chain.ts";
import { injectedNode } from "./support/injected-node.ts";
import { BOOT_TIMEOUT, untilBooted } from "./support/node.ts";
import { kept, startedByGrub, untilRestart, upgradeOf } from "./support/upgrade.ts";
import type { UpgradeNode } from "./support/upgrade-node.ts";
import { goBackSoon, noCuts, upgradeStories } from "./support/upgrade-stories.ts";

/** A new system that is no good, in each way that it may be: the machine is on the old one again, by itself. */

vi.setConfig({ testTimeout: 6 * BOOT_TIMEOUT });

const { story, boot } = upgradeStories("upgrade-a-bad-b", await injectedNode(), noCuts);

/** After a fall-back: A runs and is stable, nothing is lost, and the image is not taken again. */
async function isOnAAgain(
  name: string,
  disk: string,
  { before, image }: UpgradeNode,
  { isOrderly, watchdog = false }: { readonly isOrderly: boolean; readonly watchdog?: boolean },
): Promise<VirtualMachine> {
  const a = await boot(name, disk, { watchdog });
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
  // An orderly restart leaves clean file systems; a panic cannot.
  const notes = await a.shell.ok("guestos-boot status | grep -c 'not unmounted cleanly' || true");
  if (isOrderly) expect(notes).toBe("0\n");
  return a;
}

test("a new system whose chain fails says why and restarts, and the machine is on A again", () =>
  story(
    "upgrade-chain-fails",
    ({ broken }) => broken["a chain that fails"],
    async (disk, ready) => {
      const b = await boot("upgrade-chain-fails", disk, { credentials: goBackSoon });
      expect(await startedByGrub(b)).toBe("B (failsafe_check)");
      await untilRestart(b, BOOT_TIMEOUT);
      const said = printable(b.serial.text);
      expect(said).toMatch(/guestos-boot\[\d+\]: var +failed/);
      expect(said).toMatch(/guestos-trial\[\d+\]: This system is on trial, and its boot chain failed/);
      expect(said).toMatch(/guestos-trial\[\d+\]: .*cryptsetup/);
      expect(said).toMatch(/guestos-trial\[\d+\]: The machine restarts in 3 s/);
      await (await isOnAAgain("upgrade-chain-fails", disk, ready, { isOrderly: true })).powerCut();
    },
  ));

test("a new system whose kernel panics restarts, and the machine is on A again", () =>
  story(
    "upgrade-panics",
    ({ broken }) => broken["a panic"],
    async (disk, ready) => {
      const b = await boot("upgrade-panics", disk);
      expect(await startedByGrub(b)).toBe("B (failsafe_check)");
      await untilRestart(b, BOOT_TIMEOUT);
      expect(b.failure).toBeInstanceOf(KernelPanicError);
      expect(b.serial.text).toMatch(/Attempted to kill init[^]*Rebooting in 10 seconds/);
      await (await isOnAAgain("upgrade-panics", disk, ready, { isOrderly: false })).powerCut();
    },
  ));

test("a new system that works, and that nobody confirms in time, is left", () =>
  story(
    "upgrade-unconfirmed",
    ({ committed }) => committed,
    async (disk, ready) => {
      const b = await boot("upgrade-unconfirmed", disk, { credentials: goBackSoon });
      expect(await startedByGrub(b)).toBe("B (failsafe_check)");
      expect(await untilBooted(b)).toBe("running");
      // Now, and not at a time that a slow machine may not have reached it at.
      await b.shell.run(
        `mkdir -p /run/systemd/system/guestos-trial.timer.d
        printf '[Timer]\\nOnBootSec=\\nOnBootSec=1\\n' >/run/systemd/system/guestos-trial.timer.d/soon.conf
        systemctl daemon-reload && systemctl restart guestos-trial.timer`,
      );
      await untilRestart(b, BOOT_TIMEOUT);
      expect(printable(b.serial.text)).toMatch(/guestos-trial\[\d+\]: .*nobody confirmed it in time/);
      const a = await isOnAAgain("upgrade-unconfirmed", disk, ready, { isOrderly: true, watchdog: true });

      // And where systemd itself hangs, the watchdog device restarts the machine.
      expect(await a.shell.ok("journalctl -b -q -o cat _PID=1 --grep 'hardware watchdog'")).toMatch(/i6300ESB/);
      expect(await a.shell.ok("systemctl show --property RuntimeWatchdogUSec")).toBe("RuntimeWatchdogUSec=3min\n");
      const manager = "org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager";
      await a.shell.ok(`busctl set-property ${manager} RuntimeWatchdogUSec t 10000000`);
      await a.shell.ok("echo 1 >/sys/fs/cgroup/init.scope/cgroup.freeze");
      await untilRestart(a, BOOT_TIMEOUT);
    },
  ));
