import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { holderOf, holderText, takeLock } from "../system/processes/lock.ts";
import { ProblemError } from "../base/problem.ts";
import { readersFolder } from "../system/files/readers.ts";

/** Another upgrade command holds the lock: one at a time. */
export class UpgradeBusyError extends ProblemError {}

/**
 * Runs `use` while no other process changes the slots or their records. The kernel holds the lock and releases it when the process ends.
 *
 * @param command the command line as typed, for the processes that wait
 * @param wait seconds to wait for another holder
 * @throws UpgradeBusyError when the lock is held for longer than that
 */
export async function withUpgradeLock<T>(
  host: Host,
  layout: Layout,
  { command, wait }: { readonly command: string; readonly wait: number },
  use: () => Promise<T>,
): Promise<T> {
  await host.makeFolder(layout.run, readersFolder);
  const attempt = await takeLock(layout.runFiles.upgradeLock, { wait, holder: holderOf(command), signal: host.signal });
  switch (attempt.kind) {
    case "taken":
      try {
        return await use();
      } finally {
        attempt.release();
      }
    case "cancelled":
      throw new ProblemError({ code: "upgrade-wait-stopped", what: "stopped while waiting for another upgrade command" });
    case "held":
      throw new UpgradeBusyError({
        code: "another-upgrade",
        what: "another upgrade command is running",
        ...(attempt.holder === undefined ? {} : { found: holderText(attempt.holder) }),
        todo: "wait until it has ended; guestos-boot upgrade status shows the present state",
      });
  }
}
