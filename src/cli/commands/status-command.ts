import { rounded, utc } from "../../base/clock.ts";
import { counted } from "../../base/quoted.ts";
import { type BootView, bootView } from "../../boot/record/boot-view.ts";
import { countsText, failureLines, interruptionText, noteLines, unitLine, wrap } from "../../boot/show/run-text.ts";
import { redone, type RunView } from "../../boot/record/run-view.ts";
import type { UnitOutcome } from "../../boot/record/record.ts";
import { countResults, stands } from "../../boot/record/results.ts";
import { systemHost } from "../../system/host.ts";
import { isRunning, readBoot } from "../../run/boot-record.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { paintFor } from "../../run/paint.ts";
import { runDocument, unitDocument } from "./run-document.ts";
import type { Setup } from "../../run/setup.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";

export interface StatusRequest {
  /** 0 for this boot (or the last one that left a record), 1 for the one before it, and so on. */
  readonly boot: number;
  readonly json: boolean;
}

/**
 * Shows how a boot went, from its record.
 *
 * @throws ExitError when there is no such record, when it is damaged, or when this account may not read it
 */
export async function status({ layout }: Setup, { boot, json }: StatusRequest, terminal: Terminal): Promise<ExitName> {
  const host = systemHost();
  const record = await readBoot(host, layout, { boot });
  const view = bootView(record.runs);
  const running = view.outcome === "unfinished" && (await isRunning(host, view.runs.at(-1)));
  if (json) printJson(terminal, statusDocument(view, running, record.torn));
  else for (const line of statusLines(view, running, record.torn, paintFor(terminal))) terminal.print(line);
  return view.outcome === "done" ? "ok" : view.outcome;
}

function statusLines(view: BootView, running: boolean, torn: boolean, paint: ReturnType<typeof paintFor>): readonly string[] {
  const first = view.runs[0];
  const failures = failureLines(view.units, paint);
  return [
    ...wrap(verdictText(view, running), "", "  "),
    `boot ${first?.facts.bootId}, ${first === undefined ? "" : utc(first.time)}`,
    `slot ${first?.facts.slot ?? "unknown"}, version ${first?.facts.version}`,
    ...view.runs.map((run) => runLine(run, running && run === view.runs.at(-1))),
    ...view.runs.flatMap((run) => interruptionLines(run, view)),
    ...(torn && !running ? ["the last line of the record is incomplete: its writer was killed"] : []),
    "",
    ...view.units.map((unit) => unitLine(unit, paint)),
    ...view.units.flatMap((unit) => unit.notes.flatMap((text) => noteLines(unit, text))),
    ...(failures.length === 0 ? [] : ["", ...failures]),
    `boot: ${countsText(view.units.length, countResults(view.units))} in ${view.seconds.toFixed(1)} s`,
  ];
}

/** The line that an operator needs first. */
function verdictText({ outcome, units }: BootView, running: boolean): string {
  const named = (...kinds: readonly UnitOutcome[]): string =>
    units
      .filter(({ result }) => result !== undefined && kinds.includes(result.kind))
      .map(({ name, result }) => (result !== undefined && stands(result) ? `a part of ${name}` : name))
      .join(", ");
  const skipped = named("skipped");
  const without = [named("failed", "degraded"), ...(skipped === "" ? [] : [`skipped ${skipped}`])].filter((part) => part !== "").join("; ");
  switch (outcome) {
    case "done":
      return "done: nothing is missing or wrong";
    case "degraded":
      return `degraded: the node is usable, without ${without}`;
    case "failed":
      return `failed: ${without}`;
    case "unfinished": {
      const busy = units.filter(({ startedAt, result }) => startedAt !== undefined && result === undefined).map(({ name }) => name);
      const so = without === "" ? "" : `; so far without ${without}`;
      return `${running ? "running" : "cut off"}${busy.length === 0 ? "" : `, at ${busy.join(", ")}`}${so}`;
    }
  }
}

function runLine({ facts, time, startedAt, end }: RunView, running: boolean): string {
  const name = `  ${(facts.stage ?? "run").padEnd(5)} at ${utc(time)}`;
  if (end !== undefined) return `${name}: ${end.outcome} in ${(end.at - startedAt).toFixed(1)} s`;
  return running ? `${name}: is running (process ${facts.pid})` : `${name}: was cut off before its end`;
}

/** What an earlier run left undone, and what was done for it in this boot. */
function interruptionLines(run: RunView, { units }: BootView): readonly string[] {
  const { interrupted } = run;
  if (interrupted === undefined) return [];
  const again = redone(interrupted, units).map(({ unit, actions }) => `${unit} (${counted(actions.length, "action", "actions")})`);
  const then = again.length === 0 ? "" : `; done since: ${again.join(", ")}`;
  return wrap(`${interruptionText(interrupted, run)}${then}`, "", "  ");
}

function statusDocument(view: BootView, running: boolean, torn: boolean): object {
  const facts = view.runs[0]?.facts;
  return {
    bootId: facts?.bootId,
    slot: facts?.slot,
    version: facts?.version,
    outcome: view.outcome === "unfinished" ? (running ? "running" : "cut off") : view.outcome,
    seconds: rounded(view.seconds),
    counts: countResults(view.units),
    units: view.units.map(unitDocument),
    runs: view.runs.map(runDocument),
    torn,
  };
}
