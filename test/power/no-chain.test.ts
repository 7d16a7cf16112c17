import { expect, test, vi } from "vitest";
import { printable } from "../../lab/serial-log.ts";
import { injectedNode } from "../vm/support/injected-node.ts";
import { BOOT_TIMEOUT, bootedNode } from "../vm/support/node.ts";
import { startedByGrub, untilRestart } from "../vm/support/upgrade.ts";
import type { UpgradeNode } from "../vm/support/upgrade-node.ts";
import { goBackSoon, noCuts, upgradeStories } from "../vm/support/upgrade-stories.ts";

/** Boots in which the chain cannot run, or does not end: of a system on trial, and of one that is not. `make test` has no time for them. */

vi.setConfig({ testTimeout: 6 * BOOT_TIMEOUT });

const { story, boot } = upgradeStories("upgrade-a-no-chain", await injectedNode(), noCuts);

test("a new system in which not even the program is there restarts, and so does one whose chain hangs past its time", async () => {
  const hangs = {
    ...goBackSoon,
    "systemd.unit-dropin.guestos-boot.service": "[Service]\nExecStartPre=/usr/bin/sleep infinity\n",
    "systemd.unit-dropin.guestos-trial.timer": "[Timer]\nOnBootSec=\nOnBootSec=1\n",
  };
  for (const [base, credentials, because] of [
    [(ready: UpgradeNode) => ready.broken["no program"], goBackSoon, /Failed to start .*GuestOS boot chain/],
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

const MISSING = "[Service]\nExecStart=\nExecStart=/usr/bin/guestos-boot-is-missing\n";
const stable = bootedNode({
  name: "no-program-at-all",
  credentials: { "systemd.unit-dropin.guestos-boot.service": MISSING },
});

test("where the program cannot run and no system is on trial, the firewall is up and systemd-networkd is started, for a network of the image's own", () =>
  stable.use(async (vm) => {
    expect(await vm.shell.ok("systemctl show -P Result -P ExecMainStatus guestos-boot.service")).toBe("exit-code\n203\n");
    expect(await vm.shell.ok("systemctl is-active nftables.service systemd-networkd.service")).toBe("active\nactive\n");
    expect(await vm.shell.ok("nft list chains")).toMatch(/hook input priority [^;]+; policy drop;/);
    const at = async (moment: string, unit: string): Promise<number> =>
      Number(await vm.shell.ok(`systemctl show -P ${moment}TimestampMonotonic ${unit}`));
    expect(await at("ExecMainStart", "systemd-networkd.service")).toBeGreaterThan(await at("ActiveEnter", "nftables.service"));
    // It was asked whether to go back, and this is no trial: an operator finds the machine up.
    expect(await at("Condition", "guestos-go-back.service")).toBeGreaterThan(0);
    expect(await vm.shell.ok("systemctl show -P ConditionResult guestos-go-back.service")).toBe("no\n");
  }));
