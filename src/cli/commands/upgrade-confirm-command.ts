import { systemClock } from "../../base/clock.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { confirmOnceHealthy, confirmSystem } from "../../run/confirm-system.ts";
import type { Setup } from "../../run/setup.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";
import { asOperator, locked } from "./upgrade-work.ts";

export interface ConfirmRequest {
  readonly json: boolean;
  /** Seconds for which the system may take to become healthy; absent: now or not at all. */
  readonly within?: number;
}

/** Confirms the running system. @throws ExitError as `confirmSystem` does */
export async function confirmCommand(setup: Setup, { json, within }: ConfirmRequest, terminal: Terminal): Promise<ExitName> {
  return asOperator(async (host) => {
    const underLock = async (work: () => Promise<unknown>): Promise<unknown> => locked(host, setup.layout, "confirm", work);
    const say = (line: string): void => (json ? terminal.complain(line) : terminal.print(line));
    const { slot, changed, checks } =
      within === undefined
        ? await confirmSystem(host, setup, underLock)
        : await confirmOnceHealthy(host, setup, underLock, { lasts: within, clock: systemClock, say });
    if (json) printJson(terminal, { slot, confirmed: true, changed, checks });
    else if (changed) terminal.print(`slot ${slot} is confirmed (${checks.map(({ name }) => name).join(", ")}: healthy)`);
    else terminal.print(`slot ${slot} is stable; there is nothing to confirm`);
    return "ok";
  });
}
