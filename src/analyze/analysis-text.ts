import { noteText, shorten } from "../boot/show/run-text.ts";
import { bootLine } from "./boot.ts";
import type { BlameDocument, CriticalChainDocument, DiffDocument, Share, TimeDocument } from "./documents.ts";

const CLOCKS = {
  "whole boot": [],
  "not finished": ["The boot has not finished: these figures are of its part until now."],
  "record only": ["systemd's timestamps of this boot are not known: these figures are from the record alone."],
} as const satisfies Record<TimeDocument["clocks"], readonly string[]>;

export function timeLines(document: TimeDocument): readonly string[] {
  const { phases, seconds, clocks } = document;
  const kinds = new Set(phases.map(({ kind }) => kind));
  const absent = (["firmware", "loader", "initrd"] as const).filter((kind) => !kinds.has(kind));
  return [
    bootLine(document),
    "",
    ...phases.map(({ label, seconds: took }) => `${fixed(took)}  ${share(took, seconds)}  ${label}`),
    `${fixed(seconds)}  100 %  total`,
    ...CLOCKS[clocks],
    ...(clocks === "record only" || absent.length === 0 ? [] : [`Not available on this machine: ${absent.join(", ")}.`]),
  ];
}

export function blameLines(document: BlameDocument): readonly string[] {
  const { units } = document;
  const several = new Set(units.map(({ run }) => run)).size > 1;
  const rows = units.map(({ run, name, seconds, gain, critical, byKind: { inspect, tool, own, wait, runner } }) =>
    [
      `${fixed(seconds)} ${fixed(gain)} ${critical ? "*" : " "} ${(several ? `${name} (${run})` : name).padEnd(27)}`,
      [tool, own, inspect + runner, wait].map((value) => value.toFixed(1).padStart(6)).join(" "),
    ].join(" "),
  );
  return [
    bootLine(document),
    "",
    `     took      gain   ${"unit".padEnd(27)}  tools    own  check   wait`,
    ...rows,
    "",
    "gain: how much shorter the run would have been without the time of the unit.",
    "*: on the critical chain.",
  ].map((line) => shorten(line));
}

/** Seconds below which a piece without a unit gets no line of its own. */
const SHORT = 0.1;

export function criticalChainLines(document: CriticalChainDocument): readonly string[] {
  const { links, seconds, clocks } = document;
  const sum = links.reduce((total, link) => total + link.seconds, 0);
  const isShort = ({ unit, seconds: took }: (typeof links)[number]): boolean => unit === undefined && took < SHORT;
  const short = links.filter(isShort);
  return [
    bootLine(document),
    "",
    "       at      took      gain  what the end of the boot waited for",
    ...links
      .filter((link) => !isShort(link))
      .flatMap(({ phase, unit, start, seconds: took, gain, parts }) => [
        `${fixed(start)} ${fixed(took)} ${gain === undefined ? " ".repeat(9) : fixed(gain)}  ${unit ?? linkText(phase)}`,
        ...mainParts(parts, took).map(({ kind, label, seconds: part }) => `${" ".repeat(30)}${fixed(part)}  ${partText(kind, label)}`),
      ]),
    ...(short.length === 0
      ? []
      : [
          `${" ".repeat(9)} ${fixed(short.reduce((total, link) => total + link.seconds, 0))} ${" ".repeat(9)}  (in shorter pieces between them)`,
        ]),
    "",
    `${fixed(seconds)} in total; the parts add up to ${sum.toFixed(2)} s.`,
    "gain: how much shorter the run would have been without the time of the unit.",
    ...CLOCKS[clocks],
  ].map((line) => shorten(line));
}

/** A piece of a run without a unit is named by its phase, like a piece outside the chain. */
function linkText(phase: string): string {
  return phase.startsWith("chain, ") ? `(runner, ${phase.slice(7)})` : phase;
}

/** The parts that are worth a line: waits always, the others from a tenth of the unit's time on. */
function mainParts(parts: readonly Share[], took: number): readonly Share[] {
  return parts.filter(({ kind, seconds }) => kind === "wait" || (seconds >= took / 10 && seconds >= 0.05));
}

function partText(kind: Share["kind"], label: string): string {
  switch (kind) {
    case "tool":
      return `tool ${label}`;
    case "wait":
      return `waits for ${noteText(label)}`;
    case "own":
      return noteText(label);
    case "inspect":
    case "runner":
      return label;
  }
}

export function diffLines(document: DiffDocument): readonly string[] {
  const { from, to, phases, units } = document;
  const changes = units.filter(({ from: before, to: after }) => differs(before, after));
  return [
    `from ${bootLine(from)}`,
    `to   ${bootLine(to)}`,
    "",
    ...phases.map(({ label, from: before, to: after }) => `${deltaText(before, after)}  ${label}`),
    "",
    ...(changes.length === 0 ? ["No unit differs in time or outcome."] : []),
    ...changes.flatMap(({ run, name, from: before, to: after, parts }) => [
      `${deltaText(before?.seconds ?? null, after?.seconds ?? null)}  ${name} (${run})${outcomeChange(before, after)}`,
      ...parts.slice(0, 3).map((part) => `${" ".repeat(4)}${deltaText(part.from, part.to)}  ${partText(part.kind, part.label)}`),
    ]),
  ].map((line) => shorten(line));
}

type Ended = DiffDocument["units"][number]["from"];

/** A hundredth of a second is noise. */
function differs(before: Ended, after: Ended): boolean {
  return before === null || after === null || before.outcome !== after.outcome || Math.abs(after.seconds - before.seconds) >= 0.01;
}

function outcomeChange(before: Ended, after: Ended): string {
  if (before === null) return ": new";
  if (after === null) return ": gone";
  return before.outcome === after.outcome ? "" : `: ${before.outcome} → ${after.outcome}`;
}

function deltaText(before: number | null, after: number | null): string {
  const delta = (after ?? 0) - (before ?? 0);
  const numbers = `${before === null ? "-" : before.toFixed(2)} → ${after === null ? "-" : after.toFixed(2)}`;
  return `${(delta < 0 ? "" : "+") + delta.toFixed(2)} s`.padStart(11) + ` ${numbers.padStart(17)}`;
}

function fixed(value: number): string {
  return `${value.toFixed(2)} s`.padStart(9);
}

function share(part: number, whole: number): string {
  return `${Math.round((100 * part) / Math.max(whole, 1e-9))} %`.padStart(5);
}
