import { noPaint, noteText, type Paint, problemText, wrap } from "../boot/show/run-text.ts";
import type { UnitOutcome } from "../boot/record/record.ts";
import type { Finding, Level } from "./check.ts";
import { type Examined, isSound, levels } from "./examine.ts";

interface Diagnosed extends Finding {
  readonly check: string;
}

/** Worst first; within a level, in the order of the checks. */
function findingsOf(examined: readonly Examined[]): readonly Diagnosed[] {
  const all = examined.flatMap(({ name, findings }) => findings.map((finding) => ({ ...finding, check: name })));
  return levels.flatMap((level) => all.filter((finding) => finding.level === level));
}

/** The document of `doctor --json`. */
export function doctorDocument(examined: readonly Examined[]): object {
  return {
    sound: isSound(examined),
    findings: findingsOf(examined).map(({ check, level, seen, problem }) => ({ check, level, problem, seen })),
    checks: examined.map(({ name, title, outcome, fact }) => ({ name, title, outcome, fact })),
  };
}

/** The verdict, a block for each finding, and a line for each check that found nothing wrong. */
export function doctorLines(examined: readonly Examined[], paint: Paint = noPaint): readonly string[] {
  const findings = findingsOf(examined);
  const well = examined.filter(({ fact }) => fact !== undefined);
  return [
    verdict(findings),
    "",
    ...findings.flatMap((finding) => [...findingLines(finding, paint), ""]),
    ...well.flatMap(({ name, fact = "" }) => wrap(`${name.padEnd(WIDTH)} ${noteText(fact)}`, "", " ".repeat(WIDTH + 1))),
  ];
}

const WIDTH = 12;

function verdict(findings: readonly Diagnosed[]): string {
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  const parts = [
    { number: count("wrong"), one: "thing is wrong", more: "things are wrong" },
    { number: count("unknown"), one: "could not be inspected", more: "could not be inspected" },
    { number: count("notice"), one: "notice", more: "notices" },
  ].filter(({ number }) => number > 0);
  const text = parts.map(({ number, one, more }) => `${number} ${number === 1 ? one : more}`).join(", ");
  if (parts.length === 0) return "sound: nothing is wrong";
  return count("wrong") + count("unknown") === 0 ? `sound: ${text}` : text;
}

const LABELS: Readonly<Record<Level, { readonly text: string; readonly like: UnitOutcome }>> = {
  wrong: { text: "wrong", like: "failed" },
  unknown: { text: "could not inspect", like: "degraded" },
  notice: { text: "to know", like: "unchanged" },
};

function findingLines({ level, problem, seen }: Diagnosed, paint: Paint): readonly string[] {
  const { what, todo, ...rest } = problem;
  const { text, like } = LABELS[level];
  const [first = "", ...more] = wrap(`${text}: ${noteText(what)}`, "", "  ");
  const labelled = (label: string, content: string): readonly string[] => wrap(`${label.padEnd(8)} ${content}`, "  ", "           ");
  return [
    first.replace(text, (label) => paint(like, label)),
    ...more,
    ...problemText({ what: "", ...rest })
      .slice(1)
      .map((line) => `  ${line}`),
    ...labelled("seen by", seen),
    ...(todo === undefined ? [] : labelled("repair", todo)),
  ];
}
