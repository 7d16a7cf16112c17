import { basename } from "node:path";
import { rounded } from "../base/clock.ts";
import type { Problem } from "../base/problem.ts";
import type { Share } from "./documents.ts";
import type { Bar, Interval, UnitBar } from "./timeline.ts";

/**
 * How a moment of a unit was spent:
 *
 *   inspect its plan: reading files, asking the kernel
 *   tool    a program that it had started; the label is its name
 *   own     an action's own work, calls over the bus included
 *   wait    waiting for something that was not there yet; the label names it
 *   runner  between those: the runner's own work
 */
export type PartKind = Share["kind"];

export interface Part extends Interval {
  readonly kind: PartKind;
  readonly label: string;
}

/**
 * Cuts a unit's time into parts that follow each other without a gap: their sum is the unit's time. Where tools ran at once, the first one
 * counts.
 */
export function partsOf(unit: UnitBar): readonly Part[] {
  return cut(unit.inside, unit.start, unit.end, { kind: "runner", label: "runner" });
}

function cut(inside: readonly Bar[], start: number, end: number, own: Pick<Part, "kind" | "label">): readonly Part[] {
  const parts: Part[] = [];
  let at = start;
  for (const bar of inside) {
    const from = Math.max(at, bar.start);
    const to = Math.min(end, bar.end);
    if (to <= from) continue;
    if (from > at) parts.push({ ...own, start: at, end: from });
    parts.push(...cut(bar.inside, from, to, partKind(bar)));
    at = to;
  }
  return at < end ? [...parts, { ...own, start: at, end }] : parts;
}

/** The messages of tools that wait for another tool's lock (sfdisk(8), --lock). */
const WAITED_FOR_LOCK = /waiting (to get|for) (the )?lock|already locked, waiting/i;

function partKind({ what, outcome }: Bar): Pick<Part, "kind" | "label"> {
  switch (what.kind) {
    case "plan":
      return { kind: "inspect", label: "what is there" };
    case "action":
    case "unit":
      return { kind: "own", label: what.kind === "unit" ? what.name : what.description };
    case "retry":
      return { kind: "wait", label: waitLabel(what.problem) };
    case "tool":
      return {
        kind: "tool",
        label: toolName(what.argv) + (outcome?.kind === "tool" && WAITED_FOR_LOCK.test(outcome.stderr) ? ", which waited for a lock" : ""),
      };
  }
}

/** `mkfs.ext4`, whatever folder it was called from. */
export function toolName(argv: readonly string[]): string {
  return basename(argv[0] ?? "");
}

/** The kind of the missing object, by the words of the error that was tried again; the words themselves name the object. */
const WAITS: readonly (readonly [RegExp, string])[] = [
  [/\bmedium\b/, "medium"],
  [/\bcarrier\b/, "network"],
  [/\block(ed)?\b|\bin use\b|\bbusy\b/, "lock"],
  [/\binterface\b|\bdevice\b|\bpartition\b|\/dev\//, "device"],
];

/** `device: cannot inspect /dev/vda10` */
export function waitLabel(problem: Problem): string {
  const kind = WAITS.find(([words]) => words.test(`${problem.what} ${problem.found ?? ""}`))?.[1];
  return kind === undefined ? problem.what : `${kind}: ${problem.what}`;
}

/** The parts of the same kind and label added up, the longest first. */
export function shares(parts: readonly Part[]): readonly Share[] {
  const sums = new Map<string, Share>();
  for (const { kind, label, start, end } of parts) {
    const key = `${kind} ${label}`;
    sums.set(key, { kind, label, seconds: (sums.get(key)?.seconds ?? 0) + end - start });
  }
  return [...sums.values()]
    .map((share) => ({ ...share, seconds: rounded(share.seconds) }))
    .toSorted((one, other) => other.seconds - one.seconds);
}

/** Seconds of a unit per kind. */
export function byKind(parts: readonly Part[]): Record<PartKind, number> {
  const sums = { inspect: 0, tool: 0, own: 0, wait: 0, runner: 0 };
  for (const { kind, start, end } of parts) sums[kind] = rounded(sums[kind] + end - start);
  return sums;
}
