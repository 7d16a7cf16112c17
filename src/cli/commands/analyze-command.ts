import type { Boot } from "../../analyze/boot.ts";
import { systemHost } from "../../system/host.ts";
import { type LoadedBoot, loadBoot } from "./boot-analysis.ts";
import type { WhichRecord } from "../../run/boot-record.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { ranGraph } from "../../analyze/ran-graph.ts";
import { unitFacts } from "../../run/unit-facts.ts";
import type { Setup } from "../../run/setup.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";

export type Analysis = "time" | "blame" | "critical-chain" | "plot" | "report" | "trace";

/** Prints one view of one boot. @throws ExitError when there is no such record, when it is damaged, or when this account may not read it */
export async function analyze(
  setup: Setup,
  analysis: Analysis,
  { json, ...which }: { readonly json: boolean } & WhichRecord,
  terminal: Terminal,
): Promise<ExitName> {
  const host = systemHost();
  const loaded = await loadBoot(host, setup.layout, which, terminal);
  if (json || analysis === "trace") printJson(terminal, await documentOf(analysis, loaded.boot));
  else for (const line of await linesOf(setup, analysis, loaded)) terminal.print(line);
  return "ok";
}

async function documentOf(analysis: Analysis, boot: Boot): Promise<object> {
  if (analysis === "trace") return (await import("../../analyze/trace.ts")).traceDocument(boot);
  const measures = await import("../../analyze/measures.ts");
  switch (analysis) {
    case "time":
      return measures.timeDocument(boot);
    case "blame":
      return measures.blameDocument(boot);
    case "critical-chain":
      return measures.criticalChainDocument(boot);
    case "plot":
    case "report":
      return measures.timelineDocument(boot);
  }
}

async function linesOf(
  setup: Setup,
  analysis: Exclude<Analysis, "trace">,
  { boot, record, isHere }: LoadedBoot,
): Promise<readonly string[]> {
  if (analysis === "plot") {
    const [{ plot }, { bootTitle }] = await Promise.all([import("../../analyze/plot.ts"), import("../../analyze/boot.ts")]);
    return [plot({ title: `guestos-boot: ${bootTitle(boot)}`, runs: boot.runs, phases: boot.phases })];
  }
  if (analysis === "report") {
    const [{ report }, { machineFacts }] = await Promise.all([import("../../analyze/report.ts"), import("../../system/machine-facts.ts")]);
    const host = systemHost();
    const facts: readonly (readonly [string, string])[] = isHere ? await machineFacts(host) : [];
    const machine = [
      ["boot", boot.facts.bootId],
      ["slot", boot.facts.slot ?? "unknown"],
      ["version", boot.facts.version],
      ...facts,
    ] as const;
    return [report(boot, { machine, graph: ranGraph(unitFacts(setup.chain), boot), events: record.events })];
  }
  const [measures, words] = await Promise.all([import("../../analyze/measures.ts"), import("../../analyze/analysis-text.ts")]);
  switch (analysis) {
    case "time":
      return words.timeLines(measures.timeDocument(boot));
    case "blame":
      return words.blameLines(measures.blameDocument(boot));
    case "critical-chain":
      return words.criticalChainLines(measures.criticalChainDocument(boot));
  }
}

/** Prints the differences between two boots. @throws ExitError as `analyze` does */
export async function analyzeDiff(
  { layout }: Setup,
  { from, to, json }: { readonly from: WhichRecord; readonly to: WhichRecord; readonly json: boolean },
  terminal: Terminal,
): Promise<ExitName> {
  const host = systemHost();
  const [before, after] = [await loadBoot(host, layout, from, terminal), await loadBoot(host, layout, to, terminal)];
  const [{ diffDocument }, { diffLines }] = await Promise.all([import("../../analyze/diff.ts"), import("../../analyze/analysis-text.ts")]);
  const document = diffDocument(before.boot, after.boot);
  if (json) printJson(terminal, document);
  else for (const line of diffLines(document)) terminal.print(line);
  return "ok";
}
