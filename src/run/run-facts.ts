import type { RunFacts } from "../boot/record/record.ts";
import type { Layout } from "../config/layout/layout.ts";
import { bootId } from "../system/boot-id.ts";
import type { Host } from "../system/host.ts";
import { bootedSlot } from "../upgrade/booted-slot.ts";

/** The process, the boot and the slot of a run, for the record. @throws ProblemError without /proc */
export async function runFacts(host: Host, layout: Layout, stage: RunFacts["stage"]): Promise<RunFacts> {
  return {
    bootId: await bootId(host),
    version: (await host.readText(layout.versionFile))?.trim() ?? "unknown",
    // The units that need the slot report a bad kernel argument; a record without the slot is still useful.
    slot: await bootedSlot(host).catch(() => undefined),
    pid: process.pid,
    stage,
  };
}
