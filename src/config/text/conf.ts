import { z } from "../../base/schema.ts";
import type { Host } from "../../system/host.ts";
import { type Finding, refuseFindings } from "../../base/finding.ts";
import { scanKeyValue, type Entry } from "./key-value.ts";
import { quoted } from "../../base/quoted.ts";

/** Reads a value: what it means, in the one spelling in which it is written wherever it goes; `undefined` for what it cannot be. */
export type Reader = (value: string) => string | undefined;

/** A reader of values that have one spelling only: each is taken as it stands, if it passes. */
export function asItStands(check: (value: string) => boolean): Reader {
  return (value) => (check(value) ? value : undefined);
}

/** A value by its reader: what was checked is what is used. `expected` is what an operator reads when there is none. */
export function word(expected: string, read: Reader): z.ZodType<string, string> {
  return z.string().transform((value, context) => {
    const text = read(value);
    if (text === undefined) context.addIssue({ code: "custom", message: expected });
    return text ?? z.NEVER;
  });
}

/** Several values in one, separated by blanks (or what `separator` matches), by their reader; there is at least one, and none may stand there twice, however it is spelt. */
export function words(expected: string, read: Reader, separator: RegExp = / +/): z.ZodType<readonly string[], string> {
  return z.string().transform((value, context) => {
    const found: string[] = [];
    let offset = 0;
    const parts = value.split(separator);
    for (const part of parts) {
      offset = value.indexOf(part, offset);
      const text = part === "" ? "" : read(part);
      if (text === undefined || found.includes(text)) {
        const message = text === undefined ? expected : `${expected}, each once`;
        context.addIssue({ code: "custom", message, params: { part, offset } });
      } else if (text !== "") found.push(text);
      offset += part.length;
    }
    // Separators alone, as a template leaves them whose values were empty.
    if (parts.every((part) => part === "")) context.addIssue({ code: "custom", message: `${expected}, at least one` });
    return found;
  });
}

/** Decimal seconds. */
export function seconds(least: number, most: number): z.ZodType<number, string> {
  const expected = `a whole number of seconds from ${least} to ${most}`;
  return z
    .string()
    .refine((value) => /^\d{1,15}$/.test(value) && Number(value) >= least && Number(value) <= most, { error: expected, abort: true })
    .transform(Number);
}

/** Adds a mistake that lies between two keys of a file. For use in `superRefine`. */
export function contradiction(context: z.RefinementCtx, key: string, expected: string): void {
  context.addIssue({ code: "custom", path: [key], message: expected });
}

/** A mistake in a `key=value` file. */
export interface ConfFinding extends Finding {
  /** Absent where a line has none that there is. */
  readonly key?: string;
}

/** What can be used of a file, and what cannot. */
export interface ConfFile<T> {
  /** As if the mistakes were not in it. */
  readonly conf: T;
  readonly findings: readonly ConfFinding[];
  /** One more mistake: a good value that another program cannot use. */
  readonly finding: (key: string, expected: string) => ConfFinding;
}

/**
 * Reads a `key=value` file by its schema. A key without a value counts as absent, as it always did.
 *
 * @param schema optional keys, each from a string
 * @param keys the keys that the file may have, where the schema cannot tell (it is wrapped in cross checks)
 * @param repeatable keys of several words that may be spread over several lines: older tools write one word a line
 * @throws ProblemError naming every mistake with line and column
 */
export function parseConf<T>(
  content: Uint8Array,
  file: string,
  schema: z.ZodType<T>,
  keys: readonly string[],
  repeatable: readonly string[] = [],
): T {
  const { conf, findings } = scanConf(content, file, schema, keys, repeatable);
  refuseFindings(file, findings);
  return conf;
}

/** The same, for a caller that uses what is right in a file with mistakes. @throws ProblemError when the file is too long */
export function scanConf<T>(
  content: Uint8Array,
  file: string,
  schema: z.ZodType<T>,
  keys: readonly string[],
  repeatable: readonly string[] = [],
): ConfFile<T> {
  const { entries, findings: strange } = scanKeyValue(content, file, keys, repeatable);
  const findings: ConfFinding[] = [...strange];
  const finding = (key: string, expected: string, params?: unknown): ConfFinding => findingOf(entries, key, expected, params);
  const values: Record<string, string> = {};
  for (const { key, value } of entries) if (value !== "") values[key] = values[key] === undefined ? value : `${values[key]} ${value}`;
  for (;;) {
    const parsed = schema.safeParse(values);
    if (parsed.success) return { conf: parsed.data, findings, finding };
    for (const issue of parsed.error.issues) findings.push(finding(keyOf(issue), issue.message, paramsOf(issue)));
    // From the last to the first, so that the places of those before stay what they are.
    for (const issue of parsed.error.issues.toReversed()) takeOut(values, issue);
  }
}

/** Without what the issue is about: a word of several, or the whole value. */
function takeOut(values: Record<string, string>, issue: z.core.$ZodIssue): void {
  const key = keyOf(issue);
  const { success, data } = PartPlace.safeParse(paramsOf(issue));
  const value = values[key] ?? "";
  // Blanks in its place, which say nothing, and leave the other words where they are.
  if (success) values[key] = value.slice(0, data.offset) + " ".repeat(data.part.length) + value.slice(data.offset + data.part.length);
  // Nothing is left of it: that no word is there is a mistake of its own only where none was.
  if (!success || /^[ ,]*$/.test(values[key] ?? "")) delete values[key];
}

function keyOf(issue: z.core.$ZodIssue): string {
  return String(issue.path[0]);
}

function paramsOf(issue: z.core.$ZodIssue): unknown {
  return "params" in issue ? issue.params : undefined;
}

function findingOf(entries: readonly Entry[], key: string, expected: string, params: unknown): ConfFinding {
  const own = entries.filter((candidate) => candidate.key === key && candidate.value !== "");
  const { part, offset } = PartPlace.catch({ part: own[0]?.value ?? "", offset: 0 }).parse(params);
  const { entry, column } = placeIn(own, offset);
  return { key, line: entry?.line ?? 1, column, code: "value-not-usable", what: `${key} is not usable`, found: quoted(part), expected };
}

/** Where that character of the lines' values, taken together with a blank between them, stands. */
function placeIn(lines: readonly Entry[], offset: number): { readonly entry: Entry | undefined; readonly column: number } {
  let rest = offset;
  for (const entry of lines) {
    if (rest <= entry.value.length) return { entry, column: entry.column + rest };
    rest -= entry.value.length + 1;
  }
  return { entry: undefined, column: 1 };
}

const PartPlace = z.object({ part: z.string(), offset: z.number() });

/** A file from the config partition through its parser. @returns `undefined` when there is no such file */
export async function readConf<T>(host: Host, file: string, parse: (content: Uint8Array, file: string) => T): Promise<T | undefined> {
  const content = await host.readBytes(file);
  return content === undefined ? undefined : parse(content, file);
}
