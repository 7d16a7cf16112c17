import { expect, test, vi } from "vitest";
import { KernelPanicError } from "../../vm/problems.ts";
import { printable } from "../../vm/serial-log.ts";
import { injectedNode } from "./support/injected-node.ts";
import { BOOT_TIMEOUT } from "./support/node.ts";
import { startedByGrub, untilRestart } from "./support/upgrade.ts";
import { goBackSoon, isOnAAgain, noCuts, upgradeStories } from "./support/upgrade-stories.ts";

/** A new system that is no good, in each way that it may be: the machine is on the old one again, by itself. */

vi.setConfig({ testTimeout: 6 * BOOT_TIMEOUT });

const { story, boot } = upgradeStories("upgrade-a-bad-b", await injectedNode(), noCuts);

test("a new system whose chain fails says why and restarts, and the machine is on A again", () =>
  story(
    "upgrade-chain-fails",
    ({ broken }) => broken["a chain that fails"],
    async (disk, ready) => {
      const b = await boot("upgrade-chain-fails", disk, { credentials: goBackSoon });
      expect(await startedByGrub(b)).toBe("B (failsafe_check)");
      await untilRestart(b, BOOT_TIMEOUT);
      const said = printable(b.serial.text);
      expect(said).toMatch(/guestos-boot\[\d+\]: store-key +failed/);
      expect(said).toMatch(/guestos-trial\[\d+\]: This system is on trial, and its boot chain failed/);
      expect(said).toMatch(/guestos-trial\[\d+\]: .*cryptsetup/);
      expect(said).toMatch(/guestos-trial\[\d+\]: The machine restarts in 3 s/);
      await (await isOnAAgain(boot, "upgrade-chain-fails", disk, ready, { isOrderly: true })).powerCut();
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
      await (await isOnAAgain(boot, "upgrade-panics", disk, ready, { isOrderly: false })).powerCut();
    },
  ));
