import type { Host } from "../../system/host.ts";
import { requestReboot } from "../../system/systemd/logind.ts";
import { toProblem } from "../../base/problem.ts";
import { decideAndWrite } from "../../upgrade/apply-writes.ts";
import { inspect } from "../../upgrade/situation.ts";
import { grubBoot } from "../../upgrade/boot-state.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { ExitError } from "../../run/exit-error.ts";
import type { Setup } from "../../run/setup.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";
import { asOperator, locked } from "./upgrade-work.ts";

export interface DecideRequest {
  readonly verb: "commit" | "rollback";
  readonly reboot: boolean;
  readonly json: boolean;
}

/**
 * Sets the system that the boot loader starts next, and restarts the machine.
 *
 * @throws ExitError when it cannot be done now, or when everything was written and only the restart could not be requested
 */
export async function decideCommand({ layout }: Setup, { verb, reboot, json }: DecideRequest, terminal: Terminal): Promise<ExitName> {
  return asOperator(async (host) => {
    const [decision, { block }] = await locked(
      host,
      layout,
      verb,
      async () => [await decideAndWrite(host, layout, verb), await inspect(host, layout)] as const,
    );
    const next = grubBoot(block).slot;
    const restart = decision.kind === "do" && decision.reboot && reboot;
    // Print before the restart: the terminal may end with the machine.
    if (json) printJson(terminal, { next, restart });
    else terminal.print(`slot ${next} is booted next${restart ? "; the machine restarts now" : ""}`);
    if (restart) await restartMachine(host);
    return "ok";
  });
}

async function restartMachine(host: Host): Promise<void> {
  try {
    await requestReboot(host);
  } catch (error) {
    const problem = toProblem(error);
    throw new ExitError("notRestarted", {
      ...problem,
      what: `everything is written, but the restart could not be requested: ${problem.what}`,
      todo: "restart the machine: systemctl reboot",
    });
  }
}
