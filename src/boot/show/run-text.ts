import type { UnfinishedRun } from "../../config/state/unfinished-run.ts";
import { type Problem, problemLines } from "../../base/problem.ts";
import type { Counts, UnitOutcome, UnitResult } from "../record/record.ts";
import { countResults } from "../record/results.ts";
import { shownUnits, skippedFor, type RunView, type UnitView } from "../record/run-view.ts";

/** A serial console's width, the narrowest in use. */
const COLUMNS = 80;

/** Marks an outcome with colour; the identity where colour is off. */
export type Paint = (outcome: UnitOutcome, text: string) => string;

export const noPaint: Paint = (_, text) => text;

/** One unit that has ended, in one line of at most 80 columns. */
export function unitLine(unit: UnitView, paint: Paint = noPaint): string {
  if (unit.result === undefined) return shorten(`${unit.name.padEnd(20)} ${unit.startedAt === undefined ? "not started" : "running"}`);
  const seconds = (unit.endedAt ?? 0) - (unit.startedAt ?? 0);
  const detail = detailText(unit.result);
  const line = shorten(
    `${unit.name.padEnd(20)} ${unit.result.kind.padEnd(9)} ${seconds.toFixed(2)} s${detail === "" ? "" : ` — ${noteText(detail)}`}`,
  );
  return line.replace(unit.result.kind.padEnd(9), (outcome) => paint(unit.result?.kind ?? "skipped", outcome));
}

function detailText(result: UnitResult): string {
  switch (result.kind) {
    case "changed":
    case "unchanged":
      return [
        ...("provisioned" in result ? [`${result.provisioned.length} provisioned`] : []),
        ...(result.activated.length > 0 ? [`${result.activated.length} activated`] : []),
      ].join(", ");
    case "degraded":
    case "failed":
      return result.problem.what;
    case "skipped":
      return result.because.length === 0 ? "the run was stopped" : `requires ${result.because.join(", ")}`;
  }
}

/** The actions done for a unit, one per line, for an operator who runs it by hand. */
export function doneLines({ result }: UnitView): readonly string[] {
  if (result?.kind !== "changed" && result?.kind !== "unchanged") return [];
  return [
    ...("provisioned" in result ? result.provisioned : []).flatMap((description) => actionLines("provision", description)),
    ...result.activated.flatMap((description) => actionLines("activate", description)),
  ];
}

/** An action below its unit's line, in a plan and in a report alike. */
export function actionLines(effect: "provision" | "activate", description: string): readonly string[] {
  return wrap(`${effect} ${noteText(description)}`, "  ", "    ");
}

/** `waiting for var: format /dev/vda6: mkfs.ext4 (12 s)` */
export function waitingLine(unit: UnitView, now: number): string {
  const tail = ` (${Math.floor(now - (unit.startedAt ?? now))} s)`;
  const doing = [unit.doing ?? "starting", ...new Set(unit.tools?.values())].map(noteText).join(": ");
  return shorten(`waiting for ${unit.name}: ${doing}`, COLUMNS - tail.length) + tail;
}

export function noteLines(unit: UnitView, text: string): readonly string[] {
  return wrap(`note from ${unit.name}: ${noteText(text)}`, "", "  ");
}

/** `boot 6f3c1a5e was cut off at var: fill it from the image's own /var` */
export function interruptionText(before: UnfinishedRun, here: RunView): string {
  const boot = before.bootId === here.facts.bootId ? "this boot" : `boot ${before.bootId.slice(0, 8)}`;
  const at = before.at.map(({ unit, action }) => `${unit}: ${noteText(action)}`).join("; ");
  const where = at === "" ? "between two units" : `at ${at}`;
  return `${runOf(before.run, boot)} was cut off ${where}`;
}

/** @param boot how to name the boot: "this boot", "boot 6f3c1a5e" */
export function runOf(run: UnfinishedRun["run"], boot: string): string {
  return run === "boot" ? boot : `${run === "run" ? "a run" : `the ${run} stage`} of ${boot}`;
}

/** Everything an operator needs about the units that did not succeed, a block for each, an empty line after each. */
export function failureLines(units: readonly UnitView[], paint: Paint = noPaint): readonly string[] {
  return units.flatMap((unit) => {
    const { result } = unit;
    if (result?.kind !== "failed" && result?.kind !== "degraded") return [];
    const skipped = skippedFor(unit.name, units);
    return [
      `${unit.name} ${paint(result.kind, result.kind)}`,
      ...codedText(result.problem).map((line) => `  ${line}`),
      ...(skipped.length === 0 ? [] : wrap(`skipped  ${skipped.join(", ")}`, "  ", "           ")),
      "",
    ];
  });
}

/** A problem in lines of at most 78 columns by default, labels aligned. */
export function problemText(problem: Problem, width = COLUMNS - 2): readonly string[] {
  return problemLines(problem).flatMap((labelled, index) =>
    labelled
      .split("\n")
      .flatMap((line, part) => wrap(line.trimEnd(), index > 0 && part > 0 ? "         " : "", index === 0 ? "" : "         ", width)),
  );
}

/** The same with its code, for the support staff who are asked for help. */
export function codedText(problem: Problem, width?: number): readonly string[] {
  return [...problemText(problem, width), `code     ${problem.code}`];
}

/** `boot: 15 units: 3 changed, 12 unchanged, 0 degraded, 0 failed, 0 skipped in 4.2 s` */
export function summaryLine(run: RunView): string {
  const units = shownUnits(run);
  const seconds = (run.end?.at ?? run.startedAt) - run.startedAt;
  return `${run.facts.stage ?? "run"}: ${countsText(units.length, countResults(units))} in ${seconds.toFixed(1)} s`;
}

export function countsText(total: number, counts: Counts): string {
  const { changed, unchanged, degraded, failed, skipped } = counts;
  const parts = [`${changed} changed`, `${unchanged} unchanged`, `${degraded} degraded`, `${failed} failed`, `${skipped} skipped`];
  return `${total} unit${total === 1 ? "" : "s"}: ${parts.join(", ")}`;
}

/** Text on one line, whatever white space a tool put into it. */
export function noteText(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

/** The line, cut with an ellipsis where it is longer than `width`. */
export function shorten(line: string, width = COLUMNS): string {
  const letters = [...line];
  return letters.length <= width ? line : `${letters.slice(0, width - 1).join("")}…`;
}

/** Breaks at blanks. A word longer than the line (a path) stays whole, because a broken one could not be copied. */
export function wrap(text: string, first: string, rest: string, width = COLUMNS): readonly string[] {
  const lines: string[] = [];
  let line = "";
  // Blanks inside the text (aligned labels) are kept where the line is not broken.
  for (const piece of text.match(/\s*\S+/g) ?? [""]) {
    const indent = lines.length === 0 ? first : rest;
    if (line !== "" && indent.length + line.length + piece.length > width) {
      lines.push(indent + line);
      line = piece.trimStart();
    } else {
      line += piece;
    }
  }
  return [...lines, (lines.length === 0 ? first : rest) + line];
}
