import { encode } from "uqr";
import { problemLines } from "../../base/problem.ts";
import { utc } from "../../base/clock.ts";
import type { RunView, UnitView } from "../../boot/record/run-view.ts";
import { noteText, wrap } from "../../boot/show/run-text.ts";
import type { WriteProgress } from "../../setupos/write-disk.ts";
import { sizeText } from "../../setupos/sizes.ts";

/** The screen of a machine, and of a BMC's console. */
const COLUMNS = 80;
const ROWS = 25;

/** Characters of the QR code: what it has in 29 by 29 modules, of capitals and digits (ISO/IEC 18004, version 3, level L). */
const QR_TEXT = 77;

/** What is shown besides the run. */
export interface PageFacts {
  readonly version: string;
  readonly mgmtMac: string | undefined;
  /** Of the HostOS. */
  readonly ipv6: string | undefined;
  /** How far units are that move many bytes, by the unit's name. */
  readonly progress: ReadonlyMap<string, ProgressNote>;
  /** Seconds of CLOCK_MONOTONIC. */
  readonly now: number;
}

export interface ProgressNote extends WriteProgress {
  /** Seconds of CLOCK_MONOTONIC at which it was noted, and at which its phase began. */
  readonly at: number;
}

/** How an installation ended. */
export type SetupEnd = "installed" | "already installed" | "failed";

/** `undefined` while it goes on. */
export function setupEnd({ end, units }: RunView): SetupEnd | undefined {
  if (end === undefined) return undefined;
  const last = units.at(-1)?.result;
  if (last?.kind === "changed") return "installed";
  return last?.kind === "unchanged" ? "already installed" : "failed";
}

/** What is shown while the installation goes on: at most 80 columns and 25 rows. */
export function progressPage(run: RunView, facts: PageFacts): readonly string[] {
  const done = run.units.filter(({ result }) => result !== undefined).length;
  const share = wholeShare(run, facts);
  const notes = run.units.flatMap(({ notes }) => notes).filter((text) => !text.startsWith("absent: "));
  const rows = [
    `SetupOS ${facts.version}`,
    "",
    ...run.units.map((unit) => unitRow(unit, facts)),
    "",
    `${bar(share, 40)} ${Math.floor(share * 100)} %   step ${Math.min(done + 1, run.units.length)} of ${run.units.length}   ${clock(facts.now - run.startedAt)}`,
    "",
  ];
  return fitted([...rows, ...newestNotes(notes, ROWS - 1 - rows.length)]);
}

/** The newest that fit into these rows, the newest last. */
function newestNotes(notes: readonly string[], rows: number): readonly string[] {
  const shown: string[] = [];
  for (const text of notes.toReversed()) {
    const lines = wrap(`! ${noteText(text)}`, "", "  ").slice(0, 3);
    if (shown.length + lines.length > rows) break;
    shown.unshift(...lines);
  }
  return shown;
}

function unitRow(unit: UnitView, facts: PageFacts): string {
  const mark = unit.result === undefined ? (unit.startedAt === undefined ? " " : ">") : MARKS[unit.result.kind];
  const note = facts.progress.get(unit.name);
  const isRunning = unit.startedAt !== undefined && unit.result === undefined;
  const detail = isRunning
    ? note === undefined
      ? clock(facts.now - (unit.startedAt ?? facts.now))
      : progressText(note, unit, facts.now)
    : "";
  return ` ${mark} ${unit.name.padEnd(20)} ${detail}`;
}

const MARKS = { changed: "*", unchanged: "*", degraded: "!", failed: "X", skipped: "-" } as const;
const PHASES: Readonly<Record<WriteProgress["phase"], string>> = { read: "reading", write: "writing", "read-back": "reading back" };

/** "writing 120 MiB of 350 MiB, 34 %, 0:19 left". */
function progressText({ phase, done, total, at }: ProgressNote, unit: Pick<UnitView, "startedAt">, now: number): string {
  const elapsed = Math.max(at - (unit.startedAt ?? at), 0);
  const left = done > 0 && elapsed > 5 ? (elapsed / done) * (total - done) - (now - at) : undefined;
  const tail = left === undefined || phase === "read-back" ? "" : `, ${clock(Math.max(left, 0))} left`;
  return `${PHASES[phase]} ${sizeText(done)} of ${sizeText(total)}, ${Math.floor((100 * done) / Math.max(total, 1))} %${tail}`;
}

/** How much of the time each unit takes, about; others a little. Measured on a drive that is as fast as the stick. */
const WEIGHTS: Readonly<Record<string, number>> = { "check-images": 15, "install-hostos": 50, "install-guestos": 20 };

function wholeShare({ units }: RunView, { progress }: PageFacts): number {
  const weight = ({ name }: UnitView): number => WEIGHTS[name] ?? 2;
  const all = units.reduce((sum, unit) => sum + weight(unit), 0);
  const reached = units.reduce((sum, unit) => {
    if (unit.result !== undefined) return sum + weight(unit);
    const note = unit.startedAt === undefined ? undefined : progress.get(unit.name);
    return note === undefined ? sum : sum + weight(unit) * partOf(note);
  }, 0);
  return reached / Math.max(all, 1);
}

/** Writing, and reading back, take about as long. */
function partOf({ phase, done, total }: ProgressNote): number {
  const part = Math.min(done / Math.max(total, 1), 1);
  return phase === "read" ? part : (phase === "write" ? part : 1 + part) / 2;
}

function bar(share: number, width: number): string {
  const full = Math.round(Math.min(Math.max(share, 0), 1) * width);
  return `[${"#".repeat(full)}${".".repeat(width - full)}]`;
}

function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number: number): string => String(number).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** The last page, which stays: how it ended, what to do, and what a supporter needs, also as a QR code. At most 80 columns and 25 rows. */
export function endPage(run: RunView, end: SetupEnd, facts: PageFacts): readonly string[] {
  const code = endCode(run, end);
  const identity = [
    `code     ${code}`,
    `version  ${facts.version}`,
    `BMC      ${facts.mgmtMac ?? "not known"}`,
    ...(facts.ipv6 === undefined ? [] : [`HostOS   ${facts.ipv6}`]),
    `time     ${utc(run.time)}`,
  ];
  const picture = qrLines(`${code} ${facts.mgmtMac ?? ""} ${facts.version}`.toUpperCase().slice(0, QR_TEXT));
  const width = COLUMNS - (picture[0]?.length ?? 0) - 2;
  const head = HEADS[end];
  const room = ROWS - 2 - identity.length - 2;
  const text = (end === "failed" ? failureText(run) : TEXTS[end]).flatMap((line) => wrapTo(noteText(line), width));
  const shown = text.length > room ? [...text.slice(0, room - 1), "… all of it: installation.txt on the stick"] : text;
  const left = [head, "", ...shown, "", ...identity];
  return fitted(
    Array.from(
      { length: Math.max(left.length, picture.length) },
      (_, row) => `${(left[row] ?? "").padEnd(width + 2)}${picture[row] ?? ""}`,
    ),
  );
}

const HEADS: Readonly<Record<SetupEnd, string>> = {
  installed: "THE NODE IS INSTALLED",
  "already installed": "THE NODE WAS INSTALLED BEFORE",
  failed: "THE NODE IS NOT INSTALLED",
};
const TEXTS: Readonly<Record<Exclude<SetupEnd, "failed">, readonly string[]>> = {
  installed: ["The machine starts again by itself, from its own drives. Pull the stick."],
  "already installed": [
    "The node on these drives has this configuration, and is complete. Nothing was written.",
    "Pull the stick, and start the machine again.",
    "A token in config.ini replaces only a node of another configuration or image.",
  ],
};

/** Short, and in docs/codes.md. */
function endCode({ units }: RunView, end: SetupEnd): string {
  if (end !== "failed") return end === "installed" ? "installed" : "already-installed";
  const failed = units.find(({ result }) => result?.kind === "failed")?.result;
  return failed?.kind === "failed" ? failed.problem.code : "stopped";
}

function failureText({ units }: RunView): readonly string[] {
  const failed = units.filter(({ result }) => result?.kind === "failed");
  const problems = failed.flatMap(({ name, result }) => (result?.kind === "failed" ? [{ name, problem: result.problem }] : []));
  return [
    ...(problems.length === 0 ? ["the installation was stopped"] : []),
    // What is wrong in all of them, before what was found of the first.
    ...problems.map(({ name, problem }) => `${name}: ${problem.what}`),
    ...problems.flatMap(({ name, problem }) => [...(problems.length > 1 ? [`${name}:`] : []), ...problemLines(problem).slice(1)]),
    "",
    "Nothing goes on by itself: correct it, and start the stick again.",
  ];
}

function wrapTo(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else for (let at = 0; at === 0 || at < word.length; at += width) lines.push(word.slice(at, at + width));
  }
  return lines;
}

/** Two rows of the code in a line; dark on light, whatever the screen's colours are. */
function qrLines(text: string): readonly string[] {
  const { data } = encode(text, { ecc: "L", border: 2 });
  const lines: string[] = [];
  for (let row = 0; row < data.length; row += 2) {
    const [upper = [], lower = []] = [data[row], data[row + 1]];
    lines.push(upper.map((isDark, column) => BLOCKS[(isDark ? 2 : 0) + (lower[column] === true ? 1 : 0)] ?? " ").join(""));
  }
  return lines;
}

/** Light and light, light over dark, dark over light, dark and dark: a block is light. */
const BLOCKS = ["█", "▀", "▄", " "];

function fitted(lines: readonly string[]): readonly string[] {
  return lines.slice(0, ROWS - 1).map((line) => [...line].slice(0, COLUMNS).join("").trimEnd());
}
