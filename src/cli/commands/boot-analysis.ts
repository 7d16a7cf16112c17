import { type Boot, bootOf } from "../../analyze/boot.ts";
import { knownClocks } from "../../analyze/known-clocks.ts";
import type { ReadRecord } from "../../boot/record/read-record.ts";
import type { Layout } from "../../config/layout/layout.ts";
import { bootId } from "../../system/boot-id.ts";
import type { Host } from "../../system/host.ts";
import { readBoot, type WhichRecord } from "../../run/boot-record.ts";
import type { Terminal } from "../../run/terminal.ts";

export interface LoadedBoot {
  readonly boot: Boot;
  readonly record: ReadRecord;
  /** True for the boot that this machine is in. */
  readonly isHere: boolean;
}

/**
 * Loads all the data of a boot: its record, and systemd's clocks. A boot without the clocks is still worth inspecting: the reason why they
 * are missing goes to standard error.
 *
 * @throws ExitError as `readBoot` does
 */
export async function loadBoot(host: Host, layout: Layout, which: WhichRecord, terminal: Terminal): Promise<LoadedBoot> {
  const record = await readBoot(host, layout, which);
  const id = record.runs[0]?.facts.bootId ?? "";
  const isHere = id === (await bootId(host));
  const { clocks, missing } = "file" in which && !isHere ? {} : await knownClocks(host, id, isHere);
  if (missing !== undefined) terminal.complain(`systemd's timestamps are missing: ${missing}`);
  return { boot: bootOf(record.events, clocks), record, isHere };
}
