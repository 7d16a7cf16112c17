import { setTimeout as wait } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { BOOT_TIMEOUT, bootedNode } from "../vm/support/node.ts";
import { MIB, STATE, until, usageOf } from "../vm/support/monitored.ts";

/** Minutes in which nothing happens: `make test` has no time for them. */

vi.setConfig({ testTimeout: 3 * BOOT_TIMEOUT });

const node = bootedNode({
  ...{ name: "mon-idle", size: "8G", boot: "kernel" },
  config: { "backup.conf": "backup_retention_time_secs=7200\nbackup_purging_interval_secs=3600\n" },
});

test("idle, it takes next to nothing", ({ annotate }) =>
  node.use(async (vm) => {
    await until(vm, `test -s ${STATE}`);
    const [user = 0, system = 0] = (await vm.shell.ok("TIMEFORMAT='%U %S'; { time guestos-boot --version >/dev/null; } 2>&1"))
      .split(" ")
      .map(Number);
    const start = user + system;
    // It is not idle in every minute: something may just have happened, or have been put right. What is never idle is in none.
    const minutes: { readonly cpuSeconds: number; readonly wakeUps: number }[] = [];
    const isIdle = (): boolean => minutes.some(({ cpuSeconds, wakeUps }) => cpuSeconds <= 2 * start && wakeUps <= 100);
    await vm.shell.ok("sleep 15");
    const first = await usageOf(vm);
    for (let before = first; minutes.length < 4 && !isIdle();) {
      await wait(60_000);
      const after = await usageOf(vm);
      minutes.push({ cpuSeconds: after.cpuSeconds - before.cpuSeconds, wakeUps: after.wakeUps - before.wakeUps });
      before = after;
    }
    const { rss, descriptors } = await usageOf(vm);
    await annotate(
      `memory ${(rss / MIB).toFixed(1)} MiB; the program starts in ${start.toFixed(2)} s of an emulated CPU; minutes: ${JSON.stringify(minutes)}`,
    );
    expect(rss).toBeLessThanOrEqual(80 * MIB);
    expect(descriptors).toBeLessThanOrEqual(first.descriptors);
    // Wakened by the statfs every ten seconds, and the worker thread that does it. Seconds say little where every instruction is emulated:
    // on a real CPU the program starts in 25 to 30 ms, and twice that is 0.1 % of a minute.
    expect(isIdle(), JSON.stringify(minutes)).toBe(true);
  }));
