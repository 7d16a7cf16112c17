import { bootView } from "../boot/record/boot-view.ts";
import { parseRecord } from "../boot/record/read-record.ts";
import { succeeded } from "../boot/record/results.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { MonitorState } from "../config/state/monitor-state.ts";
import type { Host } from "../system/host.ts";

/** Units that had a problem at their last inspection: the monitor's, or, where there was none yet, the boot's. */
export async function unitsWithProblem(
  host: Host,
  layout: Layout,
  seen: MonitorState["units"],
  units: readonly { readonly name: string }[],
): Promise<ReadonlySet<string>> {
  const known = new Set(seen.map(({ name }) => name));
  const withProblem = seen.filter(({ problem }) => problem !== undefined).map(({ name }) => name);
  if (units.every(({ name }) => known.has(name))) return new Set(withProblem);
  const atBoot = (await withProblemAtBoot(host, layout)).filter((name) => !known.has(name));
  return new Set([...withProblem, ...atBoot]);
}

async function withProblemAtBoot(host: Host, layout: Layout): Promise<readonly string[]> {
  const { record } = layout.runFiles;
  try {
    const { runs } = parseRecord((await host.readText(record)) ?? "", record);
    if (runs.length === 0) return [];
    return bootView(runs)
      .units.filter(({ result }) => result === undefined || !succeeded(result))
      .map(({ name }) => name);
  } catch {
    // `status` reports a damaged record.
    return [];
  }
}
