import { type Boot, bootOf } from "../../analyze/boot.ts";
import { stageServices } from "../../analyze/phases.ts";
import type { ReadRecord } from "../../boot/record/read-record.ts";
import type { Layout } from "../../config/layout/layout.ts";
import { type BootClocks, bootClocks, journalClocks } from "../../system/systemd/boot-clocks.ts";
import { bootId } from "../../system/boot-id.ts";
import type { Host } from "../../system/host.ts";
import { oneLine, toProblem } from "../../base/problem.ts";
import { readBoot, type WhichRecord } from "../../run/boot-record.ts";
import { ExitError } from "../../run/exit-error.ts";
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
  const clocks = "file" in which && !isHere ? undefined : await clocksOf(host, id, isHere, terminal);
  const boot = bootOf(record.events, clocks);
  // `readBoot` returns only records with a run.
  if (boot === undefined)
    throw new ExitError("noRecord", { code: "nothing-recorded-yet", what: "this boot has not recorded anything yet" });
  return { boot, record, isHere };
}

async function clocksOf(host: Host, id: string, isHere: boolean, terminal: Terminal): Promise<BootClocks | undefined> {
  try {
    if (isHere) return await bootClocks(host, Object.values(stageServices));
    const clocks = await journalClocks(host, id);
    if (clocks === undefined && process.getuid?.() !== 0)
      terminal.complain("systemd's timestamps are missing: root and the group systemd-journal alone can read them in the journal");
    return clocks;
  } catch (error) {
    terminal.complain(`systemd's timestamps are missing: ${oneLine(toProblem(error))}`);
    return undefined;
  }
}
