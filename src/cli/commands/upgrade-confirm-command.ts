import type { ExitName } from "../../run/exit-codes.ts";
import { confirmSystem } from "../../run/confirm-system.ts";
import type { Setup } from "../../run/setup.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";
import { asOperator, locked } from "./upgrade-work.ts";

/** Confirms the running system. @throws ExitError as `confirmSystem` does */
export async function confirmCommand(setup: Setup, { json }: { readonly json: boolean }, terminal: Terminal): Promise<ExitName> {
  return asOperator(async (host) => {
    const { slot, changed, checks } = await confirmSystem(host, setup, async (work) => locked(host, setup.layout, "confirm", work));
    if (json) printJson(terminal, { slot, confirmed: true, changed, checks });
    else if (changed) terminal.print(`slot ${slot} is confirmed (${checks.map(({ name }) => name).join(", ")}: healthy)`);
    else terminal.print(`slot ${slot} is stable; there is nothing to confirm`);
    return "ok";
  });
}
