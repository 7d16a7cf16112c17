import { presentUnits } from "../../boot/graph.ts";
import { checks } from "../../doctor/checks.ts";
import { doctorDocument, doctorLines } from "../../doctor/doctor-text.ts";
import { examine, isSound } from "../../doctor/examine.ts";
import { systemHost } from "../../system/host.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { requireRoot, requireSound } from "../../run/guards.ts";
import { paintFor } from "../../run/paint.ts";
import { machineFor } from "../../run/machine-for.ts";
import { runFacts } from "../../run/run-facts.ts";
import type { Setup } from "../../run/setup.ts";
import { stopOnSignals } from "../stop-on-signals.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";

/**
 * Checks the running node against its promised state. It changes nothing, so it needs no lock.
 *
 * @throws ExitError for an unsound chain, or when not root
 */
export async function doctor(setup: Setup, { json }: { readonly json: boolean }, terminal: Terminal): Promise<ExitName> {
  const { chain, layout } = setup;
  requireSound(chain);
  requireRoot("it reads files and devices that only root can read");
  const stop = stopOnSignals();
  const facts = await runFacts(systemHost({ signal: stop.signal }), layout, undefined);
  const machine = machineFor(setup)({ signal: stop.signal, onTool: () => () => undefined, note: () => undefined });
  const node = {
    layout,
    medium: setup.medium,
    chain: await presentUnits(chain, machine),
    maintenance: await presentUnits(await setup.maintenance(), machine),
    facts,
    monitorFile: layout.runFiles.monitor,
    hostFor: systemHost,
  };
  const examined = await examine(checks, node, stop.signal);
  if (stop.signal.aborted) return stop.exit();
  if (json) printJson(terminal, doctorDocument(examined));
  else for (const line of doctorLines(examined, paintFor(terminal))) terminal.print(line);
  return isSound(examined) ? "ok" : "unsoundNode";
}
