import type { Layout } from "../config/layout/layout.ts";
import { keyRing } from "../units/disks/key-ring.ts";
import type { GuestUnit, Machine } from "../units/machine.ts";
import { freshRules } from "../units/network/fresh-rules.ts";
import { NotRecordedError } from "./answers.ts";
import { type Decision, decisionOf, decisionOfError } from "./decision.ts";
import type { Told } from "./recorder.ts";
import { type RecordedAnswer, replayedHost } from "./replayed-host.ts";

/** A plan of a unit that was made again from what the recorded one was answered. */
export type Replayed =
  | { readonly kind: "same"; readonly unit: string; readonly plan: number; readonly decision: Decision }
  | {
      readonly kind: "differs";
      readonly unit: string;
      readonly plan: number;
      readonly recorded: Decision;
      readonly now: Decision;
    }
  /** It asks for what the record has not. */
  | { readonly kind: "not decided"; readonly unit: string; readonly plan: number; readonly unknown: readonly string[] };

interface RecordedPlan {
  readonly unit: string;
  readonly plan: number;
  readonly answers: readonly RecordedAnswer[];
  readonly decision: Decision;
}

/**
 * Makes every decision of a record again, from its answers. No machine is inspected or changed.
 *
 * @param told lines of the record
 * @returns one for each plan of a unit that the chain has, in the order of the record
 */
export async function replay(
  chain: readonly GuestUnit[],
  told: readonly Told[],
  { layout, medium }: Pick<Machine, "layout" | "medium">,
): Promise<readonly Replayed[]> {
  const units = new Map(chain.map((unit) => [unit.name, unit]));
  // What one plan waits for takes no longer because others wait too.
  return Promise.all(
    plansIn(told).flatMap((recorded) => {
      const unit = units.get(recorded.unit);
      return unit === undefined ? [] : [replayed(unit, recorded, layout, medium)];
    }),
  );
}

/** Names of units that the record has, and the chain has not. */
export function unknownUnits(chain: readonly GuestUnit[], told: readonly Told[]): readonly string[] {
  const known = new Set(chain.map(({ name }) => name));
  return [...new Set(told.map(({ unit }) => unit))].filter((name) => !known.has(name));
}

function plansIn(told: readonly Told[]): readonly RecordedPlan[] {
  const answers = new Map<string, RecordedAnswer[]>();
  const keyOf = ({ unit, plan }: Told): string => `${plan} ${unit}`;
  return told.flatMap((line) => {
    const own = answers.get(keyOf(line)) ?? [];
    answers.set(keyOf(line), own);
    if ("call" in line) own.push({ call: line.call, args: line.args, answer: line.answer });
    return "decision" in line ? [{ unit: line.unit, plan: line.plan, answers: own, decision: line.decision }] : [];
  });
}

async function replayed(
  unit: GuestUnit,
  { plan: number, answers, decision: recorded }: RecordedPlan,
  layout: Layout,
  medium: Machine["medium"],
): Promise<Replayed> {
  const { host, unknown } = replayedHost(answers, AbortSignal.timeout(unit.timeout));
  const machine: Machine = { host, layout, medium, keys: keyRing(), freshRules: freshRules(), note: () => undefined };
  const now = await decide(unit, machine);
  const which = { unit: unit.name, plan: number };
  // A unit may take a question that fails for an answer: what it then decides is worth nothing.
  if (now === undefined || unknown.length > 0) return { ...which, kind: "not decided", unknown: [...new Set(unknown)] };
  return isSame(now, recorded) ? { ...which, kind: "same", decision: now } : { ...which, kind: "differs", recorded, now };
}

/** Where in its code a version has a defect is no decision. */
function isSame(one: Decision, other: Decision): boolean {
  const text = (decision: Decision): string => JSON.stringify(isDefect(decision) ? { kind: "defect" } : decision);
  return text(one) === text(other);
}

function isDefect(decision: Decision): boolean {
  return decision.kind === "error" && decision.problem.code === "defect";
}

async function decide(unit: GuestUnit, machine: Machine): Promise<Decision | undefined> {
  try {
    const why = await unit.absent?.(machine);
    return why === undefined ? decisionOf(await unit.plan(machine)) : { kind: "absent", why };
  } catch (error) {
    return error instanceof NotRecordedError ? undefined : decisionOfError(error);
  }
}
