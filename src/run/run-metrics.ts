import type { RunView } from "../boot/record/run-view.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { oneLine, toProblem } from "../base/problem.ts";

/** Rewrites the textfile for node_exporter. The code is loaded only here, and a failure is only reported. */
export async function refreshMetrics(host: Host, layout: Layout, complain: (text: string) => void): Promise<void> {
  try {
    const { writeTextfile } = await import("../metrics/textfile.ts");
    await writeTextfile(host, layout, { recordFile: layout.runFiles.record, monitorFile: layout.runFiles.monitor });
  } catch (error) {
    complain(`the metrics of this node are not up to date: ${oneLine(toProblem(error))}`);
  }
}

/** The same after a run. It is skipped for an operator's run that did nothing, if the textfile already reports the outcome "done". */
export async function refreshMetricsAfter(run: RunView, host: Host, layout: Layout, complain: (text: string) => void): Promise<void> {
  const nothingDone = run.units.every(({ result }) => result?.kind === "unchanged" && result.activated.length === 0);
  if (run.facts.stage === undefined && nothingDone && (await saysAllIsWell(host, layout))) return;
  await refreshMetrics(host, layout, complain);
}

async function saysAllIsWell(host: Host, layout: Layout): Promise<boolean> {
  const text = await host.readText(layout.textfile).catch(() => undefined);
  return text?.includes('\nguestos_boot_outcome{outcome="done"} 1\n') ?? false;
}
