import { parseRecord } from "../boot/record/read-record.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { mountAt } from "../system/disks/mounts.ts";
import { oneLine, toProblem } from "../base/problem.ts";
import { keepRecord } from "../system/files/record-file.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Keeps a copy of the record on /var, but only if /var is mounted: the read-only root has a /var folder of its own. A failure does not fail
 * the boot.
 */
export async function keepBootRecord(host: Host, layout: Layout, terminal: Terminal): Promise<void> {
  try {
    if ((await mountAt(host, layout.mountPoints.var)) === undefined) return;
    const { record } = layout.runFiles;
    // The first line names the boot; parsing the record of a whole boot takes longer than copying it.
    const [start = ""] = /^.*\n/.exec((await host.readText(record)) ?? "") ?? [];
    const first = parseRecord(start, record).runs[0];
    if (first !== undefined) await keepRecord(host, record, layout.records, { bootId: first.facts.bootId, time: first.time });
  } catch (error) {
    terminal.complain(`the record of this boot is not kept: ${oneLine(toProblem(error))}`);
  }
}
