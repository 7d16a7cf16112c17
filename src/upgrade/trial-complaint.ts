import { join } from "node:path";
import * as z from "../base/schema.ts";
import type { Layout } from "../config/layout/layout.ts";
import { readState, writeState } from "../config/state/state-file.ts";
import type { Host } from "../system/host.ts";
import type { SlotRecord } from "./slot-state.ts";

/**
 * Why a system on trial was not confirmed yet, kept on the config partition for the system that runs after it. Apart from the slot's record, which
 * older systems read strictly.
 */
const TrialComplaint = z.object({
  /** The UUID of the install, as in the slot's record: an account of another trial says nothing. */
  install: z.uuid(),
  text: z.string().check(z.minLength(1), z.maxLength(2000)),
});

/** @returns `undefined` where there is none of that install */
export async function readComplaint(host: Host, layout: Layout, record: SlotRecord | undefined): Promise<string | undefined> {
  if (record?.kind !== "installed") return undefined;
  const complaint = await readState(host, fileIn(layout), TrialComplaint);
  return complaint?.install === record.install ? complaint.text : undefined;
}

/** Durable when it returns. Nothing is written for a system that other tools installed. */
export async function writeComplaint(host: Host, layout: Layout, record: SlotRecord | undefined, text: string): Promise<void> {
  if (record?.kind !== "installed") return;
  await writeState(host, fileIn(layout), { install: record.install, text: text.slice(0, 2000) });
}

function fileIn({ config }: Layout): string {
  return join(config.slots, "complaint.json");
}
