import type { RecordEvent } from "../record/record.ts";
import { noteText, codedText, wrap } from "./run-text.ts";
import { type RunView, skippedFor, type UnitView } from "../record/run-view.ts";

/** One less than a serial console's width: many consoles begin a new line with the 80th letter. */
const WIDTH = 79;
const INSIDE = WIDTH - 4;

/** What a unit tried, as far as the events of its run tell. */
export interface Tried {
  /** The number of retries. */
  readonly retries: number;
  /** Seconds from the start of the first wait to the start of the last. */
  readonly over: number;
  /** The last action that it began, and the last program that it ran for it. */
  readonly action?: string;
  readonly tool?: string;
}

/** Keeps what each unit tried; takes the events of a run one at a time. */
export class TriedReader {
  readonly #tried = new Map<string, { retries: number; first: number; last: number; action?: string; tool?: string }>();

  read(event: RecordEvent, unit: UnitView | undefined): void {
    if (unit === undefined || event.event !== "started" || event.what.kind === "unit") return;
    const tried = this.#tried.get(unit.name) ?? { retries: 0, first: event.at, last: event.at };
    this.#tried.set(unit.name, tried);
    const { what } = event;
    if (what.kind === "retry") {
      if (tried.retries === 0) tried.first = event.at;
      tried.retries += 1;
      tried.last = event.at;
    } else if (what.kind === "action") {
      tried.action = what.description;
      delete tried.tool;
    } else if (what.kind === "tool") {
      tried.tool = what.argv[0] ?? "";
    }
  }

  of(unit: string): Tried | undefined {
    const tried = this.#tried.get(unit);
    return tried === undefined ? undefined : { ...tried, over: tried.last - tried.first };
  }
}

/**
 * The last output of a failed boot on the console: the failures, their causes, what was tried, and what happens next. At most 80 columns,
 * and only ASCII letters in the frame.
 *
 * @param ascii true where the console may not know UTF-8: then the text inside is ASCII too
 */
export function failureBox(run: RunView, tried: (unit: string) => Tried | undefined, ascii: boolean): readonly string[] {
  const failed = run.units.filter(({ result }) => result?.kind === "failed");
  const degraded = run.units.filter(({ result }) => result?.kind === "degraded");
  const rule = `+${"-".repeat(WIDTH - 2)}+`;
  const heading = `BOOT FAILED: ${failed.map(({ name }) => name).join(", ")}`;
  const blocks = [...failed, ...degraded].flatMap((unit) => ["", ...unitBlock(unit, run, tried(unit.name))]);
  const next = NEXT_STEPS.flatMap((step) => wrap(step, "  - ", "    ", INSIDE));
  const plain = (line: string): string => (ascii ? asciiText(line) : line);
  return [
    rule,
    ...wrap(heading, "", "  ", INSIDE).map((line) => framed(plain(line))),
    ...blocks.map((line) => framed(plain(line))),
    framed(""),
    framed("what happens next"),
    ...next.map((line) => framed(plain(line))),
    rule,
  ];
}

function unitBlock(unit: UnitView, run: RunView, tried: Tried | undefined): readonly string[] {
  const { result } = unit;
  if (result?.kind !== "failed" && result?.kind !== "degraded") return [];
  const attempts = triedText(tried);
  const skipped = skippedFor(unit.name, run.units);
  const labelled = (label: string, content: string): readonly string[] =>
    wrap(`${label.padEnd(8)} ${content}`, "  ", "           ", INSIDE);
  return [
    `${unit.name} ${result.kind}`,
    ...codedText(result.problem, INSIDE - 2).map((line) => `  ${line}`),
    ...(attempts === "" ? [] : labelled("tried", attempts)),
    ...(skipped.length === 0 ? [] : labelled("skipped", skipped.join(", "))),
  ];
}

function triedText(tried: Tried | undefined): string {
  if (tried === undefined) return "";
  const { retries, over, action, tool } = tried;
  return [
    ...(action === undefined ? [] : [`${noteText(action)}${tool === undefined ? "" : ` (${tool})`}`]),
    ...(retries === 0 ? [] : [`${retries + 1} times in ${over.toFixed(1)} s`]),
  ].join("; ");
}

/** What the services do after a failure (etc/common/systemd/system), and what is left to a person. */
const NEXT_STEPS = [
  "The boot continues without it. Nothing is retried automatically.",
  "If this system is on trial after an upgrade, the machine restarts in about a minute, and the boot loader starts the other system. Otherwise this system stays up.",
  'Log in, do what "to do" says, then run: guestos-boot',
  "To show this again: guestos-boot status. For the details of a unit: guestos-boot why UNIT",
];

function framed(line: string): string {
  const length = [...line].length;
  // A path longer than the line stays whole, so that it can be copied: the frame is open there.
  return length > INSIDE ? `| ${line}` : `| ${line}${" ".repeat(INSIDE - length)} |`;
}

const REPLACEMENTS: Readonly<Record<string, string>> = {
  "…": "...",
  "—": "-",
  "–": "-",
  "→": "->",
  "×": "x",
  "’": "'",
  "“": '"',
  "”": '"',
};

/** The text in ASCII; a letter without an ASCII equivalent becomes a question mark. */
export function asciiText(text: string): string {
  return text.replaceAll(/[^\u0020-\u007e]/gu, (letter) => REPLACEMENTS[letter] ?? "?");
}

/** Whether the environment says that UTF-8 is understood (locale(7): LC_ALL, then LC_CTYPE, then LANG). */
export function speaksUtf8(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find((value) => value !== undefined && value !== "") ?? "C";
  return /utf-?8/i.test(locale);
}
