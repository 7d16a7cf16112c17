import { writeHardwareMetrics } from "../../metrics/hardware-samples.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { requireRoot } from "../../run/guards.ts";
import type { Setup } from "../../run/setup.ts";
import type { Terminal } from "../../run/terminal.ts";
import { systemHost } from "../../system/host.ts";

/** Asks drives and BMC, and writes their metrics. One that does not answer is told, and is no failure. */
export async function hardwareMetrics({ layout }: Pick<Setup, "layout">, terminal: Terminal): Promise<ExitName> {
  requireRoot("it asks the drives");
  for (const line of await writeHardwareMetrics(systemHost(), layout)) terminal.complain(line);
  return "ok";
}
