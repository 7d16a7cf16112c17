import { createHash } from "node:crypto";
import { expect, test, vi } from "vitest";
import { withPanicRetry } from "../../lab/panic-retry.ts";
import { KernelPanicError } from "../../lab/problems.ts";
import { printable } from "../../lab/serial-log.ts";
import { guestosBoot } from "./support/chain.ts";
import { assertCleanBoot, wordsIn } from "./support/clean-boot.ts";
import { injectedNode } from "./support/injected-node.ts";
import { BOOT_TIMEOUT } from "./support/node.ts";
import { trialBoot, type UpgradeNode } from "./support/upgrade-node.ts";
import { boot as bootToday, DONE, TODAY } from "./support/todays-boots.ts";
import { diskOver, kept, startedByGrub, untilRestart, upgradeOf } from "./support/upgrade.ts";
import { goBackSoon, isOnAAgain, noCuts, upgradeStories } from "./support/upgrade-stories.ts";
import { looseMedium } from "../support/todays-media.ts";

/**
 * Upgrades with the real firmware and GRUB. One machine is prepared, and its disk kept at several moments; each story goes on
 * from one of them on a disk of its own, so each can be told alone, and again.
 */

vi.setConfig({ testTimeout: 6 * BOOT_TIMEOUT });

const injected = await injectedNode();

/**
 * Two power cuts; `make test-power` has many, in the new system's first boot and as it is confirmed too. The machine that is prepared loses its
 * power in its install, after that part of the image, and what is committed is its disk at the moment at which the commit was done. It also has
 * an upgrade from B to A, and a B that no one confirms (test/power/upgrade.test.ts).
 */
const CUT_AT = 0.4;

const { readyNode, story, boot } = upgradeStories("upgrade-a", injected, noCuts, CUT_AT);

/** B is tried and confirmed. */
async function assertConfirmed(node: UpgradeNode): Promise<void> {
  const { vm: b } = await trialBoot("upgrade-b", await diskOver(node.committed, "upgrade-b"), noCuts);
  try {
    expect((await b.shell.ok("cat /proc/cmdline")).split(/\s+/)).toEqual(
      expect.arrayContaining(["dfinity.system=B", "guestos-boot.trial"]),
    );
    expect(await b.shell.ok("cat /opt/ic/share/version.txt")).toBe("0.2.0\n");
    expect(await upgradeOf(b)).toMatchObject({ running: "B", version: "0.2.0", phase: "trial", next: "A", toDo: [] });
    expect(await kept(b)).toEqual(node.before);
    await assertCleanBoot(b, { secrets: injected.secrets });
    // Its own /var, with the journal of the system that installed it.
    expect(await b.shell.ok("lsblk --noheadings --output PARTLABEL --inverse --list /dev/mapper/var_crypt")).toContain("B_var");
    expect(await b.shell.ok("journalctl --list-boots --output json")).toContain(node.bootId);
    expect(await b.shell.ok(`journalctl -b ${node.bootId} -q -o cat SYSLOG_IDENTIFIER=guestos-boot`)).toMatch(/^machine-id +changed/m);
    // An upgrade on top of a trial would overwrite the only proven system.
    const early = await guestosBoot(b, "upgrade install --insecure /dev/null");
    expect(early.status, early.stderr).toBe(14);
    // What ends a trial waits, and knows that it is one.
    expect(await b.shell.ok("ls /run/guestos-boot/on-trial; systemctl is-active guestos-trial.timer")).toMatch(/on-trial\nactive\n/);
    expect(await b.shell.ok("systemctl show --property TimersMonotonic guestos-trial.timer")).toContain("OnBootUSec=30min");

    const confirmed = await guestosBoot(b, "upgrade confirm --json");
    expect(JSON.parse(confirmed.stdout), confirmed.stderr).toMatchObject({ slot: "B", confirmed: true, changed: true });
    expect(await upgradeOf(b)).toMatchObject({
      ...{ running: "B", phase: "stable", next: "B", toDo: [], refused: [] },
      grubenv: { alternative: "B", cycle: "stable", faults: [] },
      slots: { A: { kind: "proven" }, B: { kind: "proven", version: "0.2.0", image: { sha256: node.image.sha256 } } },
    });
    expect(JSON.parse((await guestosBoot(b, "upgrade confirm --json")).stdout)).toMatchObject({ confirmed: true, changed: false });
    // The time is up, and it is no trial any more.
    await b.shell.ok("systemctl start guestos-go-back.service");
    expect(await b.shell.ok("systemctl show --property ConditionResult guestos-go-back.service")).toBe("ConditionResult=no\n");
  } finally {
    await b.powerCut();
  }
}

test("A installs B, which is tried, confirmed and stays", async () => {
  const node = await readyNode();
  await withPanicRetry(async () => assertConfirmed(node));
});

test("a new system whose chain fails says why and restarts, GRUB chooses A again, and A is as it was", () =>
  story(
    "upgrade-chain-fails",
    ({ broken }) => broken["a chain that fails"],
    async (disk, ready) => {
      const b = await boot("upgrade-chain-fails", disk, { credentials: goBackSoon });
      expect(await startedByGrub(b)).toBe("B (failsafe_check)");
      await untilRestart(b, BOOT_TIMEOUT);
      const said = printable(b.serial.text);
      expect(said).toMatch(/guestos-boot\[\d+\]: store-key +failed/);
      expect(wordsIn(b)).toEqual(["FAILURE"]);
      expect(said).toMatch(/guestos-trial\[\d+\]: This system is on trial, and its boot chain failed/);
      expect(said).toMatch(/guestos-trial\[\d+\]: .*cryptsetup/);
      expect(said).toMatch(/guestos-trial\[\d+\]: The machine restarts in 3 s/);
      const a = await isOnAAgain(boot, "upgrade-chain-fails", disk, ready);

      // And where systemd itself hangs, the watchdog device restarts the machine.
      expect(await a.shell.ok("journalctl -b -q -o cat _PID=1 --grep 'hardware watchdog'")).toMatch(/i6300ESB/);
      expect(await a.shell.ok("systemctl show --property RuntimeWatchdogUSec")).toBe("RuntimeWatchdogUSec=3min\n");
      const manager = "org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager";
      await a.shell.ok(`busctl set-property ${manager} RuntimeWatchdogUSec t 10000000`);
      await a.shell.ok("echo 1 >/sys/fs/cgroup/init.scope/cgroup.freeze");
      await untilRestart(a, BOOT_TIMEOUT);
    },
  ));

test("a new system whose root has a flipped bit names the block and restarts, and GRUB chooses A again", () =>
  story(
    "upgrade-flipped-bit",
    ({ broken }) => broken["a flipped bit"],
    async (disk) => {
      const b = await boot("upgrade-flipped-bit", disk);
      expect(await startedByGrub(b)).toBe("B (failsafe_check)");
      await untilRestart(b, BOOT_TIMEOUT);
      expect(b.failure).toBeInstanceOf(KernelPanicError);
      expect(b.serial.text).toMatch(
        /device-mapper: verity: \d+:\d+: data block \d+ is corrupted[^]*dm-verity device corrupted[^]*Rebooting in 10 seconds/,
      );
      // What A then finds is the same after every trial that was given up: the story before boots it.
      const a = await boot("upgrade-flipped-bit", disk);
      expect(await startedByGrub(a)).toBe("A (stable)");
      await a.powerCut();
    },
  ));

test("a node of the seed era changes over to today's host, and keeps its keys", () =>
  story(
    "upgrade-change-over",
    ({ provisioned }) => provisioned,
    async (disk) => {
      const operatorKey = createHash("sha256").update(injected.config["node_operator_private_key.pem"] ?? "");
      const changed = await bootToday({ name: "upgrade-change-over", disk, medium: looseMedium(TODAY), isLast: true });
      expect(changed).toMatchObject({
        ...{ hostname: "guest-b07b25c8f6c0", addresses: ["2001:db8:7::17/64"], key: `${operatorKey.digest("hex")} 600 ic-replica` },
        ...{ accounts: "admin readonly root", inForce: true, status: DONE },
      });
      expect(changed.injection).toContain("the host hands over config.json now");
    },
  ));
