import type { RunFacts } from "../boot/record/record.ts";
import type { Layout } from "../config/layout/layout.ts";
import { bootId } from "../system/boot-id.ts";
import type { Host } from "../system/host.ts";
import { bootedSlot } from "../upgrade/booted-slot.ts";

/** Who runs, in which boot, for the record. @throws ProblemError without /proc */
export async function runFacts(host: Host, layout: Layout, stage: RunFacts["stage"]): Promise<RunFacts> {
  return {
    bootId: await bootId(host),
    version: (await host.readText(layout.versionFile))?.trim() ?? "unknown",
    // A bad kernel argument is for the units that need the slot to report; a record without it is still a record.
    slot: await bootedSlot(host).catch(() => undefined),
    pid: process.pid,
    stage,
  };
}
