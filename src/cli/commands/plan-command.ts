import { planUnits, type UnitPreview } from "../../boot/planner.ts";
import { inOrder } from "../../boot/graph.ts";
import { actionLines, noteText, problemText, wrap } from "../../boot/show/run-text.ts";
import { RunReader } from "../../boot/record/run-view.ts";
import type { Unit } from "../../boot/unit.ts";
import { systemHost } from "../../system/host.ts";
import type { Machine } from "../../units/machine.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { requireConfiguration, requireRoot, requireSound } from "../../run/guards.ts";
import { machineFor } from "../../run/machine-for.ts";
import { runFacts } from "../../run/run-facts.ts";
import { type Selection, selectUnits } from "../../run/select-units.ts";
import type { Setup } from "../../run/setup.ts";
import { stopOnSignals } from "../stop-on-signals.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";

export interface PlanRequest extends Selection {
  readonly json: boolean;
}

interface PlannedUnit {
  readonly unit: Unit<Machine>;
  readonly preview: UnitPreview;
  readonly notes: readonly string[];
}

/**
 * Shows what a run would do, in order. It changes nothing, so it needs no lock.
 *
 * @throws ExitError for an unknown unit, an unsound chain, a broken configuration, or when not root
 */
export async function plan(setup: Setup, request: PlanRequest, terminal: Terminal): Promise<ExitName> {
  requireConfiguration(setup);
  const { chain, layout } = setup;
  const { units, prerequisites } = selectUnits(chain, request);
  requireSound(chain);
  requireRoot("it reads files and devices that only root can read");
  const stop = stopOnSignals();
  const host = systemHost({ signal: stop.signal });
  const reader = new RunReader();
  const previews = await planUnits<Machine>(units, {
    machine: machineFor(setup),
    facts: await runFacts(host, layout, request.stage),
    sink: (event) => void reader.read(event),
    signal: stop.signal,
  });
  if (stop.signal.aborted) return stop.exit();
  const notes = new Map(reader.run.units.map((view) => [view.name, view.notes]));
  const planned = inOrder(units).flatMap((unit) => {
    const preview = previews.get(unit.name) ?? { kind: "stopped" as const };
    // A requirement with nothing to do gets no line, because no one asked for it.
    return preview.kind === "nothing" && prerequisites.has(unit.name) ? [] : [{ unit, preview, notes: notes.get(unit.name) ?? [] }];
  });
  if (request.json) printJson(terminal, planDocument(planned));
  else for (const line of [...planned.flatMap(unitLines), totalLine(planned)]) terminal.print(line);
  return planExit(planned);
}

function planExit(planned: readonly PlannedUnit[]): ExitName {
  const problems = planned.filter(({ preview: { kind } }) => kind === "problem" || kind === "blocked");
  if (problems.some(({ unit, preview }) => unit.onFailure === "stop" && !isPart(preview))) return "failed";
  if (planned.some(({ preview: { kind } }) => kind === "to-do")) return "toDo";
  return problems.length > 0 ? "degraded" : "ok";
}

/** Whether a run would do everything but for this problem. */
function isPart(preview: UnitPreview): boolean {
  return preview.kind === "problem" && preview.partial === true;
}

function planDocument(planned: readonly PlannedUnit[]): object {
  return { units: planned.map(({ unit, preview: { kind, ...rest }, notes }) => ({ name: unit.name, plan: kind, ...rest, notes })) };
}

/** A line, and its actions or its problem below it. */
function unitLines({ unit: { name }, preview, notes }: PlannedUnit): readonly string[] {
  const head = (text: string): readonly string[] => wrap(`${name.padEnd(20)} ${text}`, "", " ".repeat(21));
  return [...previewLines(preview, head), ...notes.flatMap((text) => wrap(`note: ${noteText(text)}`, "  ", "    "))];
}

function previewLines(preview: UnitPreview, head: (text: string) => readonly string[]): readonly string[] {
  switch (preview.kind) {
    case "nothing":
      return head("nothing to do");
    case "to-do":
      return [
        ...head(`${preview.actions.length} to do`),
        ...preview.actions.flatMap(({ effect, description }) => actionLines(effect, description)),
      ];
    case "problem":
      return [...head("cannot be done"), ...problemText(preview.problem).map((line) => `  ${line}`)];
    case "later":
      return head(`planned once ${preview.once.join(", ")} ${preview.once.length === 1 ? "has" : "have"} run`);
    case "blocked":
      return head(`skipped, because it requires ${preview.because.join(", ")}`);
    case "stopped":
      return head("not inspected");
  }
}

function totalLine(planned: readonly PlannedUnit[]): string {
  const count = (...kinds: readonly UnitPreview["kind"][]): number => planned.filter(({ preview }) => kinds.includes(preview.kind)).length;
  const actions = planned.reduce((sum, { preview }) => sum + (preview.kind === "to-do" ? preview.actions.length : 0), 0);
  const counts = [
    `${count("to-do")} to do (${actions} action${actions === 1 ? "" : "s"})`,
    `${count("later")} later`,
    `${count("nothing")} nothing to do`,
    `${count("problem", "blocked", "stopped")} cannot`,
  ];
  return `plan: ${planned.length} unit${planned.length === 1 ? "" : "s"}: ${counts.join(", ")}`;
}
