import { problemLines } from "../base/problem.ts";
import type { RecordEvent } from "../boot/record/record.ts";
import { utc } from "../base/clock.ts";
import { type Boot, bootTitle } from "./boot.ts";
import { gains } from "./causes.ts";
import { seconds } from "./duration.ts";
import { type GraphUnit, graphSvg } from "./graph-svg.ts";
import { barLabel, criticalNames, outcomeOf, runName, timeDocument } from "./measures.ts";
import { byKind, partsOf } from "./parts.ts";
import { plot } from "./plot.ts";
import { escapeXml, STYLE } from "./svg.ts";
import type { Bar, RunBars, UnitBar } from "./timeline.ts";

export interface ReportOptions {
  /** Label and value, in display order. */
  readonly machine: readonly (readonly [string, string])[];
  readonly graph: readonly GraphUnit[];
  readonly events: readonly RecordEvent[];
}

/** All data of a boot as one self-contained HTML page: no script, no network, no font. */
export function report(boot: Boot, { machine, graph, events }: ReportOptions): string {
  const title = `guestos-boot: ${bootTitle(boot)}`;
  return `<!doctype html>
<html lang="en" class="gb">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeXml(title)}</title>
<style>
${STYLE}
${PAGE_STYLE}
</style>
</head>
<body>
<header>
<h1>Boot ${escapeXml(boot.facts.bootId.slice(0, 8))}</h1>
<p>${escapeXml(`${utc(boot.time)} · slot ${boot.facts.slot ?? "unknown"} · version ${boot.facts.version}`)}</p>
<ul class="verdicts">${boot.runs.map(verdict).join("")}</ul>
</header>
${problems(boot)}
<section><h2>Timeline</h2><div class="picture">${plot({ title: bootTitle(boot), runs: boot.runs, phases: boot.phases, style: false })}</div></section>
<section><h2>Where the time went</h2>${phaseTable(boot)}</section>
<section><h2>Units</h2>${boot.runs.map(unitTable).join("")}</section>
<section><h2>Chain</h2><div class="picture">${graphSvg(graph, { title: "The chain as it ran", style: false })}</div></section>
<section><h2>Machine</h2><dl>${machine.map(([label, value]) => `<dt>${escapeXml(label)}</dt><dd>${escapeXml(value)}</dd>`).join("")}</dl></section>
<section><h2>Log</h2><details open><summary>${events.length} events</summary><pre>${logLines(events).map(escapeXml).join("\n")}</pre></details></section>
</body>
</html>`;
}

const PAGE_STYLE = `
html { background: var(--paper); color: var(--ink); }
body { max-width: 1312px; margin: 0 auto; padding: 28px 24px 60px; font-size: 14px; line-height: 1.45; }
h1 { font-size: 24px; margin: 0; } h2 { font-size: 16px; margin: 36px 0 10px; } h3 { font-size: 14px; margin: 20px 0 6px; }
header p { margin: 2px 0 12px; color: var(--soft); }
.verdicts { list-style: none; display: flex; flex-wrap: wrap; gap: 10px; margin: 0; padding: 0; }
.verdicts li { border: 1px solid var(--line); border-left: 5px solid var(--line); border-radius: 4px; padding: 5px 12px; }
.verdicts li.done { border-left-color: var(--running); } .verdicts li.degraded { border-left-color: var(--degraded); }
.verdicts li.failed, .verdicts li.stopped, .verdicts li.unfinished { border-left-color: var(--failed); }
.problem { border-left: 5px solid var(--failed); background: var(--stripe); padding: 10px 16px; margin: 14px 0 0; }
.problem.degraded-unit { border-left-color: var(--degraded); }
.problem pre { margin: 6px 0 0; }
.picture { overflow-x: auto; border: 1px solid var(--grid); border-radius: 4px; } .picture svg { display: block; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; color: var(--soft); font-weight: 600; }
.units { table-layout: fixed; } .units th:first-child { width: 26%; } .units th:nth-child(2) { width: 13%; } .units th:nth-child(4) { width: 12%; } .units td { overflow-wrap: anywhere; }
th, td { padding: 4px 10px; border-bottom: 1px solid var(--grid); vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td .dot { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 7px; }
.dot.changed { background: var(--changed); } .dot.unchanged { background: var(--unchanged); } .dot.degraded { background: var(--degraded); }
.dot.failed { background: var(--failed); } .dot.running { background: var(--running); } .dot.skipped { border: 1px dashed var(--skipped); }
td.bar { width: 45%; vertical-align: middle; } .share { height: 8px; background: var(--changed); border-radius: 2px; min-width: 1px; }
details summary { cursor: pointer; } details ul { margin: 4px 0 8px; padding-left: 20px; color: var(--soft); }
.critical-unit summary { font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0; } dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
pre { font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; white-space: break-spaces; overflow-wrap: anywhere; }
@media print { .picture { overflow: visible; } body { max-width: none; } }
`.trim();

function verdict(run: RunBars): string {
  const outcome = run.outcome ?? "unfinished";
  return `<li class="${outcome}">${escapeXml(`${runName(run)}: ${outcome}, ${run.units.length} units in ${seconds(run.end - run.start)}`)}</li>`;
}

/** Failed units come before degraded ones. */
function problems({ runs }: Boot): string {
  const blocks = (["failed", "degraded"] as const).flatMap((kind) => runs.flatMap((run) => problemsOf(run, kind)));
  return blocks.length === 0 ? "" : `<section><h2>What went wrong</h2>${blocks.join("")}</section>`;
}

function problemsOf(run: RunBars, kind: "failed" | "degraded"): readonly string[] {
  return run.units.flatMap(({ name, result }) => {
    if (result?.kind !== kind) return [];
    const title = escapeXml(`${name} ${kind} (${runName(run)})`);
    const words = escapeXml(problemLines(result.problem).join("\n"));
    return [`<div class="problem${kind === "degraded" ? " degraded-unit" : ""}"><strong>${title}</strong><pre>${words}</pre></div>`];
  });
}

function phaseTable(boot: Boot): string {
  const { phases, seconds: total } = timeDocument(boot);
  const rows = phases.map(
    ({ label, start, seconds: took }) =>
      `<tr><td>${escapeXml(label)}</td><td class="number">${start.toFixed(2)} s</td><td class="number">${took.toFixed(2)} s</td>` +
      `<td class="bar"><div class="share" style="width:${((100 * took) / Math.max(total, 1e-9)).toFixed(2)}%"></div></td></tr>`,
  );
  return `<table><thead><tr><th>phase</th><th class="number">from</th><th class="number">took</th><th></th></tr></thead><tbody>${rows.join("")}
<tr><td><strong>in all</strong></td><td></td><td class="number"><strong>${total.toFixed(2)} s</strong></td><td></td></tr></tbody></table>`;
}

function unitTable(run: RunBars): string {
  const gain = gains(run);
  const critical = criticalNames(run);
  const rows = run.units.map((unit) => {
    const { tool, own, inspect, runner, wait } = byKind(partsOf(unit));
    const numbers = [unit.end - unit.start, gain.get(unit.name) ?? 0, tool, own, inspect + runner, wait];
    return (
      `<tr${critical.has(unit.name) ? ' class="critical-unit"' : ""}><td>${unitDetails(unit)}</td>` +
      `<td><span class="dot ${outcomeOf(unit)}"></span>${outcomeOf(unit)}</td>` +
      `${numbers.map((value) => `<td class="number">${value.toFixed(2)}</td>`).join("")}</tr>`
    );
  });
  const heads = ["seconds", "gain if instant", "tools", "own work", "inspecting", "waiting"].map(
    (head) => `<th class="number">${head}</th>`,
  );
  const heading = `<h3>${escapeXml(runName(run))}</h3>`;
  return `${heading}<table class="units"><thead><tr><th>unit (bold: critical chain)</th><th>outcome</th>${heads.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function unitDetails(unit: UnitBar): string {
  const inside = unit.inside.map(barItem).join("") + unit.notes.map(({ text }) => `<li>${escapeXml(`note: ${text}`)}</li>`).join("");
  return inside === "" ? escapeXml(unit.name) : `<details><summary>${escapeXml(unit.name)}</summary><ul>${inside}</ul></details>`;
}

function barItem(bar: Bar): string {
  const inner = bar.inside.length === 0 ? "" : `<ul>${bar.inside.map(barItem).join("")}</ul>`;
  return `<li>${escapeXml(`${seconds(bar.end - bar.start)} ${barLabel(bar.what)}`)}${inner}</li>`;
}

/** The record in words, one line per event. */
function logLines(events: readonly RecordEvent[]): readonly string[] {
  const depth = new Map<number, number>();
  const names = new Map<number, string>();
  return events.flatMap((event) => {
    const at = `[${event.at.toFixed(6).padStart(13)}] `;
    switch (event.event) {
      case "run-started":
        depth.set(event.span, 0);
        return [`${at}${event.run.stage ?? "run"} started at ${event.time}, process ${event.run.pid}`];
      case "started": {
        const level = (depth.get(event.parent) ?? 0) + 1;
        depth.set(event.span, level);
        names.set(event.span, barLabel(event.what));
        return [`${at}${"  ".repeat(level)}${barLabel(event.what)}`];
      }
      case "ended":
        return [`${at}${"  ".repeat(depth.get(event.span) ?? 0)}${names.get(event.span) ?? ""}: ${endText(event.outcome)}`];
      case "interrupted":
        return [
          `${at}  a run of boot ${event.before.bootId} was cut off, in ${event.before.at.map(({ unit }) => unit).join(", ") || "no unit"}`,
        ];
      case "note":
        return [`${at}${"  ".repeat((depth.get(event.span) ?? 0) + 1)}note: ${event.text}`];
      case "run-ended":
        return [`${at}run ended: ${event.outcome}`];
    }
  });
}

function endText(outcome: Extract<RecordEvent, { event: "ended" }>["outcome"]): string {
  switch (outcome.kind) {
    case "done":
      return "done";
    case "planned":
      return outcome.actions.length === 0 ? "nothing is missing" : `${outcome.actions.length} to do`;
    case "conflict":
    case "failed":
      return `${outcome.kind}: ${outcome.problem.what}`;
    case "tool":
      return [outcome.ending.kind === "exited" ? `ended with ${outcome.ending.status}` : outcome.ending.kind, outcome.stderr.trim()]
        .filter((part) => part !== "")
        .join(": ");
    case "unit":
      return outcome.result.kind;
  }
}
