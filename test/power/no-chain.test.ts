import { expect, test, vi } from "vitest";
import { printable } from "../../vm/serial-log.ts";
import { injectedNode } from "../vm/support/injected-node.ts";
import { BOOT_TIMEOUT, untilBooted } from "../vm/support/node.ts";
import { newDisk, startedByGrub, untilRestart } from "../vm/support/upgrade.ts";
import type { UpgradeNode } from "../vm/support/upgrade-node.ts";
import { goBackSoon, noCuts, upgradeStories } from "../vm/support/upgrade-stories.ts";

/** What test/vm/upgrade.test.ts has no time for. */

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

test("where the program cannot run and no system is on trial, the firewall is up and systemd-networkd is started, for a network of the image's own", async () => {
  const missing = "[Service]\nExecStart=\nExecStart=/usr/bin/guestos-boot-is-missing\n";
  const name = "no-program-at-all";
  const vm = await boot(name, await newDisk(name), {
    credentials: {
      "systemd.unit-dropin.guestos-boot.service": missing,
      "systemd.unit-dropin.guestos-boot-late.service": missing,
    },
  });
  expect(await untilBooted(vm)).toBe("degraded");
  for (const stage of ["guestos-boot.service", "guestos-boot-late.service"])
    expect(await vm.shell.ok(`systemctl show -P Result -P ExecMainStatus ${stage}`)).toBe("exit-code\n203\n");
  // Firewall before network, here too.
  expect(await vm.shell.ok("systemctl is-active nftables.service systemd-networkd.service")).toBe("active\nactive\n");
  expect(await vm.shell.ok("nft list chains")).toMatch(/hook input priority [^;]+; policy drop;/);
  // It is no trial: nothing goes back, and nothing restarts.
  expect(await vm.shell.ok("systemctl show -P ConditionResult guestos-go-back.service")).toBe("no\n");
  await vm.powerCut();
});
