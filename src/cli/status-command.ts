import { type BootView, bootView } from "../boot/boot-view.ts";
import { parseRecord, type ReadRecord } from "../boot/read-record.ts";
import { countsText, failureLines, noteLines, unitLine } from "../boot/run-text.ts";
import { countResults, type RunView } from "../boot/run-view.ts";
import type { Layout } from "../config/layout.ts";
import { bootId } from "../system/boot-id.ts";
import { type Host, systemHost } from "../system/host.ts";
import { ProblemError } from "../system/problem.ts";
import { processStart } from "../system/process-age.ts";
import { keptRecords } from "../system/record-file.ts";
import type { ExitName } from "./exit-codes.ts";
import { ExitError } from "./exit-error.ts";
import { requireRoot } from "./guards.ts";
import { paintFor } from "./paint.ts";
import { paths } from "./paths.ts";
import { runDocument, unitDocument } from "./run-document.ts";
import type { Setup } from "./setup.ts";
import { printJson, type Terminal } from "./terminal.ts";

export interface StatusRequest {
  /** 0 for this boot (or the last one that left a record), 1 for the one before it, and so on. */
  readonly boot: number;
  readonly json: boolean;
}

/**
 * Shows how a boot went, from its record.
 *
 * @throws ExitError when there is no such record, when it is damaged, or when not root
 */
export async function status({ layout }: Setup, { boot, json }: StatusRequest, terminal: Terminal): Promise<ExitName> {
  requireRoot("records are for root's eyes");
  const host = systemHost({ signal: new AbortController().signal });
  const record = await readBoot(host, layout, boot);
  const view = bootView(record.runs);
  const running = view.outcome === "unfinished" && (await isRunning(host, view.runs.at(-1)));
  if (json) printJson(terminal, statusDocument(view, running, record.torn));
  else for (const line of statusLines(view, running, record.torn, paintFor(terminal))) terminal.print(line);
  return view.outcome === "done" ? "ok" : view.outcome;
}

async function readBoot(host: Host, layout: Layout, boot: number): Promise<ReadRecord> {
  const here = await bootId(host);
  const current = (await host.stat(paths(layout).record)) === undefined ? [] : [paths(layout).record];
  const kept = (await keptRecords(host, layout.records)).filter(({ bootId: id }) => current.length === 0 || id !== here);
  const files = [...current, ...kept.map(({ path }) => path)];
  const file = files[boot];
  if (file === undefined) {
    throw new ExitError("noRecord", {
      what: boot === 0 ? "there is no record of a boot" : `there is no record of a boot ${boot} before this one`,
      found: files.length === 1 ? "1 record" : `${files.length} records`,
      todo:
        files.length === 0
          ? "guestos-boot has not run in this boot, and past boots left nothing on /var"
          : `--boot 0 to --boot ${files.length - 1} are there`,
    });
  }
  try {
    const record = parseRecord((await host.readText(file)) ?? "", file);
    if (record.runs.length > 0) return record;
  } catch (error) {
    if (error instanceof ProblemError) throw new ExitError("recordDamaged", error.problem);
    throw error;
  }
  throw new ExitError("noRecord", { what: "nothing has been recorded of this boot yet", where: { file } });
}

/** Whether that run goes on at this moment: its process lives, and is older than the run. */
async function isRunning(host: Host, run: RunView | undefined): Promise<boolean> {
  if (run === undefined || run.facts.bootId !== (await bootId(host))) return false;
  const started = await processStart(host, run.facts.pid);
  return started !== undefined && started <= run.startedAt;
}

function statusLines(view: BootView, running: boolean, torn: boolean, paint: ReturnType<typeof paintFor>): readonly string[] {
  const first = view.runs[0];
  const failures = failureLines(view.units, paint);
  return [
    `boot ${first?.facts.bootId}, ${first === undefined ? "" : clock(first.time)}`,
    `slot ${first?.facts.slot ?? "unknown"}, version ${first?.facts.version}`,
    ...view.runs.map((run) => runLine(run, running && run === view.runs.at(-1))),
    ...(torn && !running ? ["the record's last line is cut short: its writer was killed"] : []),
    "",
    ...view.units.map((unit) => unitLine(unit, paint)),
    ...view.units.flatMap((unit) => unit.notes.flatMap((text) => noteLines(unit, text))),
    ...(failures.length === 0 ? [] : ["", ...failures]),
    `boot: ${countsText(view.units.length, countResults(view.units))} in ${view.seconds.toFixed(1)} s`,
  ];
}

function runLine({ facts, time, startedAt, end }: RunView, running: boolean): string {
  const name = `  ${(facts.stage ?? "run").padEnd(5)} at ${clock(time)}`;
  if (end !== undefined) return `${name}: ${end.outcome} in ${(end.at - startedAt).toFixed(1)} s`;
  return running ? `${name}: is running (process ${facts.pid})` : `${name}: was cut off before its end`;
}

/** `2026-10-05 10:15:00 UTC`, whatever the time zone of who looks. */
function clock(time: string): string {
  return `${time.slice(0, 19).replace("T", " ")} UTC`;
}

function statusDocument(view: BootView, running: boolean, torn: boolean): object {
  const facts = view.runs[0]?.facts;
  return {
    bootId: facts?.bootId,
    slot: facts?.slot,
    version: facts?.version,
    outcome: view.outcome === "unfinished" ? (running ? "running" : "cut off") : view.outcome,
    seconds: Math.round(view.seconds * 1e6) / 1e6,
    counts: countResults(view.units),
    units: view.units.map(unitDocument),
    runs: view.runs.map(runDocument),
    torn,
  };
}
