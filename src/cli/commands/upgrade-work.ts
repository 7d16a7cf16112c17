import type { Layout } from "../../config/layout/layout.ts";
import { type Host, systemHost } from "../../system/host.ts";
import { RefusedError } from "../../upgrade/refusals.ts";
import { UpgradeBusyError, withUpgradeLock } from "../../upgrade/upgrade-lock.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { ExitError } from "../../run/exit-error.ts";
import { asReader, requireRoot } from "../../run/guards.ts";
import { refreshMetrics } from "../../run/run-metrics.ts";
import { untilStopped } from "../stop-on-signals.ts";
import { processTerminal } from "../../run/terminal.ts";

/** Seconds to wait for another command that is nearly done. An install takes longer, and is not waited for. */
const TIME_LIMIT = 10;

/** Runs `use` with a host that stops at the first termination signal. @throws ExitError when not root */
export async function asOperator(use: (host: Host) => Promise<ExitName>): Promise<ExitName> {
  requireRoot("it changes the boot loader's state");
  return stoppable(use);
}

/** The same for a command that changes nothing. @throws ExitError where this account may not read the state */
export async function asUpgradeReader(use: (host: Host) => Promise<ExitName>): Promise<ExitName> {
  return asReader(async () => stoppable(use));
}

async function stoppable(use: (host: Host) => Promise<ExitName>): Promise<ExitName> {
  return untilStopped(async ({ signal }) => {
    try {
      return await use(systemHost({ signal }));
    } catch (error) {
      if (error instanceof RefusedError) throw new ExitError("notNow", error.problem);
      if (error instanceof UpgradeBusyError) throw new ExitError("lockHeld", error.problem);
      throw error;
    }
  });
}

/** Runs `use` under the lock that all work on the slots takes. The metrics are refreshed afterwards, even after a failure. */
export async function locked<T>(host: Host, layout: Layout, verb: string, use: () => Promise<T>): Promise<T> {
  return withUpgradeLock(host, layout, { command: `guestos-boot upgrade ${verb}`, wait: TIME_LIMIT }, async () => {
    try {
      return await use();
    } finally {
      await refreshMetrics(host, layout, processTerminal().complain);
    }
  });
}
