import type { RecordEvent, UnitResult } from "../../src/boot/record/record.ts";
import { type RunReport, runUnits } from "../../src/boot/runner.ts";
import type { Scope } from "../../src/boot/attempt.ts";
import { defineUnit, type Plan, type Unit, type UnitDefinition } from "../../src/boot/unit.ts";
import { type Command, CommandError } from "../../src/system/command.ts";
import { ProblemError, type ProblemOptions } from "../../src/base/problem.ts";
import { outline, unitSpans } from "./record-rules.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** What the units of these tests get: their scope, and a clock that takes no time. */
export interface World {
  readonly scope: Scope;
  readonly clock: VirtualClock;
}

type Shape = Partial<UnitDefinition<World>>;

interface Ran extends RunReport {
  readonly events: readonly RecordEvent[];
  readonly lines: readonly string[];
  readonly clock: VirtualClock;
  readonly result: (name: string) => UnitResult | undefined;
  /** Milliseconds after the start of the run at which the unit ended. */
  readonly endOf: (name: string) => number;
}

export const runFacts = { bootId: "boot", version: "1", slot: "A", pid: 1, stage: undefined } as const;

/** Runs units on a clock that takes no time. @returns what the runner reported, with the record of it */
export async function run(
  units: readonly Unit<World>[],
  options: { readonly stopAt?: number; readonly machine?: (scope: Scope, clock: VirtualClock) => World } = {},
): Promise<Ran> {
  const clock = new VirtualClock();
  const controller = new AbortController();
  if (options.stopAt !== undefined) clock.after(options.stopAt, () => controller.abort());
  const events: RecordEvent[] = [];
  const machine = options.machine ?? ((scope) => ({ scope, clock }));
  const report = await runUnits(units, {
    machine: (scope) => machine(scope, clock),
    facts: runFacts,
    sink: (event) => events.push(event),
    signal: controller.signal,
    clock,
  });
  const spans = unitSpans(events);
  return {
    ...report,
    events,
    lines: outline(events),
    clock,
    result: (name) => report.results.get(name),
    endOf: (name) => Math.round((spans.get(name)?.end ?? Number.NaN) * 1000),
  };
}

export function unit(name: string, shape: Shape = {}): Unit<World> {
  return defineUnit({ name, title: name, plan: async () => [], ...shape });
}

/** A unit whose plans give these answers one after the other, the last one forever. */
export function answering(name: string, answers: readonly (() => Plan)[], shape: Shape = {}): Unit<World> {
  let call = 0;
  return unit(name, { plan: async () => answers[Math.min(call++, answers.length - 1)]?.() ?? [], ...shape });
}

export function failing(what: string, options: ProblemOptions = {}): never {
  throw new ProblemError({ code: "test-problem", what }, options);
}

export const nothing = (): Plan => [];

/** A tool that runs until it is told to stop. */
export function endlessTool({ scope }: World, command: Command, stderr = ""): Promise<void> {
  const ended = scope.onTool(command);
  return new Promise((_, reject) =>
    scope.signal.addEventListener("abort", () => {
      ended({ kind: "cancelled" }, stderr);
      reject(new CommandError(command, { kind: "cancelled" }, stderr));
    }),
  );
}
