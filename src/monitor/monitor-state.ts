import type { Problem } from "../base/problem.ts";
import type { Look } from "./monitor-look.ts";

/** What the monitor knows of the node, as of its last look. Times are seconds since the epoch. */
export interface MonitorState {
  readonly version: 1;
  /** Of the monitor's process. */
  readonly pid: number;
  /** When it started. */
  readonly since: number;
  /** When this was written. */
  readonly time: number;
  /** In chain order. */
  readonly units: readonly WatchedUnit[];
  /** When the firewall's rules were last put in force, by a boot or by the monitor; absent when that is not known. */
  readonly rulesetLoaded?: number;
}

/** One unit that is looked at while the node runs. */
export interface WatchedUnit {
  readonly name: string;
  /** What is missing and was not mended: the descriptions of the actions that would mend it. Empty when all is well. */
  readonly drift: readonly string[];
  /** Why it could not be mended, or not even be looked at; absent when all is well. */
  readonly problem?: Problem;
  /** How often something was missing and is there again, since the monitor started. */
  readonly mends: number;
  /** How often mending failed and was tried again, since the monitor started. */
  readonly retries: number;
  /** When it was last looked at. Absent before the first look. */
  readonly lookedAt?: number;
  /** When it was last mended. Absent when there was nothing to mend. */
  readonly mendedAt?: number;
}

/** The state after these looks; units that were not looked at stay as they are. */
export function withLooks(
  state: MonitorState,
  looks: readonly Look[],
  { time, rulesetLoaded }: { readonly time: number; readonly rulesetLoaded: number | undefined },
): MonitorState {
  const units = new Map(state.units.map((unit) => [unit.name, unit]));
  for (const look of looks) units.set(look.name, withLook(units.get(look.name), look, time));
  return { ...state, time, units: [...units.values()], ...(rulesetLoaded === undefined ? {} : { rulesetLoaded }) };
}

function withLook(before: WatchedUnit | undefined, { name, kind, drift, problem, retries }: Look, at: number): WatchedUnit {
  const mended = kind === "mended";
  const mendedAt = mended ? at : before?.mendedAt;
  const triedBefore = before?.problem !== undefined && before.drift.length > 0;
  return {
    name,
    drift,
    ...(problem === undefined ? {} : { problem }),
    mends: (before?.mends ?? 0) + (mended ? 1 : 0),
    retries: (before?.retries ?? 0) + retries + (triedBefore && (mended || kind === "failed") ? 1 : 0),
    lookedAt: at,
    ...(mendedAt === undefined ? {} : { mendedAt }),
  };
}
