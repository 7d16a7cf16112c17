import { expect, test, vi } from "vitest";
import { printable } from "../../vm/serial-log.ts";
import { injectedNode } from "../vm/support/injected-node.ts";
import { BOOT_TIMEOUT, untilBooted } from "../vm/support/node.ts";
import { startedByGrub, untilRestart } from "../vm/support/upgrade.ts";
import type { UpgradeNode } from "../vm/support/upgrade-node.ts";
import { goBackSoon, isOnAAgain, noCuts, upgradeStories } from "../vm/support/upgrade-stories.ts";

/** What test/vm/upgrade-falls-back.test.ts has no time for. */

vi.setConfig({ testTimeout: 6 * BOOT_TIMEOUT });

const { story, boot } = upgradeStories("upgrade-a-no-chain", await injectedNode(), noCuts);

test("a new system in which not even the program is there restarts, and so does one whose chain hangs past its time", async () => {
  const hangs = {
    ...goBackSoon,
    "systemd.unit-dropin.guestos-boot.service": "[Service]\nExecStartPre=/usr/bin/sleep infinity\n",
    "systemd.unit-dropin.guestos-trial.timer": "[Timer]\nOnBootSec=\nOnBootSec=1\n",
  };
  for (const [base, credentials, because] of [
    [(ready: UpgradeNode) => ready.broken["no program"], goBackSoon, /Failed to start .*GuestOS boot chain, early stage/],
    [(ready: UpgradeNode) => ready.committed, hangs, /guestos-trial/],
  ] as const) {
    await story("upgrade-no-chain", base, async (disk) => {
      const b = await boot("upgrade-no-chain", disk, { credentials });
      expect(await startedByGrub(b)).toBe("B (failsafe_check)");
      await untilRestart(b, BOOT_TIMEOUT);
      expect(printable(b.serial.text)).toMatch(because);
      expect(printable(b.serial.text)).toMatch(/The machine restarts in 3 s/);
      const a = await boot("upgrade-no-chain", disk);
      expect(await startedByGrub(a)).toBe("A (stable)");
      await a.powerCut();
    });
  }
});

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
      const a = await isOnAAgain(boot, "upgrade-unconfirmed", disk, ready, { isOrderly: true, watchdog: true });

      // And where systemd itself hangs, the watchdog device restarts the machine.
      expect(await a.shell.ok("journalctl -b -q -o cat _PID=1 --grep 'hardware watchdog'")).toMatch(/i6300ESB/);
      expect(await a.shell.ok("systemctl show --property RuntimeWatchdogUSec")).toBe("RuntimeWatchdogUSec=3min\n");
      const manager = "org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager";
      await a.shell.ok(`busctl set-property ${manager} RuntimeWatchdogUSec t 10000000`);
      await a.shell.ok("echo 1 >/sys/fs/cgroup/init.scope/cgroup.freeze");
      await untilRestart(a, BOOT_TIMEOUT);
    },
  ));
