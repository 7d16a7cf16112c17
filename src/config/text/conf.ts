import * as z from "../../base/schema.ts";
import type { Host } from "../../system/host.ts";
import { type Finding, refuseFindings } from "../../base/finding.ts";
import { scanKeyValue, type Entry } from "./key-value.ts";
import { quoted } from "../../base/quoted.ts";

/** Reads a value: returns it in its canonical form, in which it is written everywhere; `undefined` when it is not valid. */
export type Reader = (value: string) => string | undefined;

/** A reader of values that have only one form: each valid one is returned unchanged. */
export function asItStands(check: (value: string) => boolean): Reader {
  return (value) => (check(value) ? value : undefined);
}

/** The same for values of that form. */
export function matching(form: RegExp): Reader {
  return asItStands((value) => form.test(value));
}

/** A value with its reader: the checked form is the one that is used. `expected` is shown to an operator when the value is not valid. */
export function word(expected: string, read: Reader): z.ZodMiniType<string, string> {
  return z.pipe(
    z.string(),
    z.transform((value, { issues }) => {
      const text = read(value);
      if (text === undefined) issues.push({ code: "custom", message: expected, input: value });
      return text ?? z.NEVER;
    }),
  );
}

/**
 * Several values in one, separated by blanks (or matches of `separator`), with their reader. At least one is required, and none may occur
 * twice, in whatever form.
 */
export function words(expected: string, read: Reader, separator: RegExp = / +/): z.ZodMiniType<readonly string[], string> {
  return z.pipe(
    z.string(),
    z.transform((value, { issues }) => {
      const found: string[] = [];
      let offset = 0;
      const parts = value.split(separator);
      for (const part of parts) {
        offset = value.indexOf(part, offset);
        const text = part === "" ? "" : read(part);
        if (text === undefined || found.includes(text)) {
          const message = text === undefined ? expected : `${expected}, each once`;
          issues.push({ code: "custom", message, params: { part, offset }, input: value });
        } else if (text !== "") found.push(text);
        offset += part.length;
      }
      // Separators alone, as from a template whose values were empty.
      if (parts.every((part) => part === "")) issues.push({ code: "custom", message: `${expected}, at least one`, input: value });
      return found;
    }),
  );
}

/** Decimal seconds. */
export function seconds(least: number, most: number): z.ZodMiniType<number, string> {
  const expected = `a whole number of seconds from ${least} to ${most}`;
  const isInRange = (value: string): boolean => /^\d{1,15}$/.test(value) && Number(value) >= least && Number(value) <= most;
  return z.pipe(z.string().check(z.refine(isInRange, { error: expected, abort: true })), z.transform(Number));
}

/** Adds a mistake that concerns two keys of a file. For use in `superRefine`. */
export function contradiction(context: z.core.$RefinementCtx, key: string, expected: string): void {
  context.addIssue({ code: "custom", path: [key], message: expected });
}

/** A mistake in a `key=value` file. */
export interface ConfFinding extends Finding {
  /** Absent for a mistake of the line itself. */
  readonly key?: string;
}

/** The usable part of a file, and its mistakes. */
export interface ConfFile<T> {
  /** As if the mistakes were not in the file. */
  readonly conf: T;
  readonly findings: readonly ConfFinding[];
  /** Makes one more mistake: a good value that another program cannot use. */
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
  schema: z.ZodMiniType<T>,
  keys: readonly string[],
  repeatable: readonly string[] = [],
): T {
  const { conf, findings } = scanConf(content, file, schema, keys, repeatable);
  refuseFindings(file, findings);
  return conf;
}

/** As `parseConf`, for a caller that uses the valid part of a file with mistakes. @throws ProblemError when the file is too long */
export function scanConf<T>(
  content: Uint8Array,
  file: string,
  schema: z.ZodMiniType<T>,
  keys: readonly string[],
  repeatable: readonly string[] = [],
): ConfFile<T> {
  const { entries, findings } = scanKeyValue(content, file, keys, repeatable);
  return readEntries(entries, findings, schema);
}

/**
 * As `scanConf`, of lines that are read already.
 *
 * @param strange the mistakes of these lines
 * @param shown makes a value fit to be shown
 */
export function readEntries<T>(
  entries: readonly Entry[],
  strange: readonly Finding[],
  schema: z.ZodMiniType<T>,
  shown: (value: string) => string = quoted,
): ConfFile<T> {
  const findings: ConfFinding[] = [...strange];
  const finding = (key: string, expected: string, params?: unknown): ConfFinding => {
    const { part, ...place } = partOf(entries, key, params);
    return { key, ...place, code: "value-not-usable", what: `${key} is not usable`, found: shown(part), expected };
  };
  const values: Record<string, string> = {};
  for (const { key, value } of entries) if (value !== "") values[key] = values[key] === undefined ? value : `${values[key]} ${value}`;
  for (;;) {
    const parsed = schema.safeParse(values);
    if (parsed.success) return { conf: parsed.data, findings, finding };
    for (const issue of parsed.error.issues) findings.push(finding(keyOf(issue), issue.message, paramsOf(issue)));
    // From the last to the first, so that the places of the earlier ones stay valid.
    for (const issue of parsed.error.issues.toReversed()) takeOut(values, issue);
  }
}

/** Removes the part that the issue concerns: one of several words, or the whole value. */
function takeOut(values: Record<string, string>, issue: z.core.$ZodIssue): void {
  const key = keyOf(issue);
  const { success, data } = PartPlace.safeParse(paramsOf(issue));
  const value = values[key] ?? "";
  // Blanks in its place mean nothing, and keep the positions of the other words.
  if (success) values[key] = value.slice(0, data.offset) + " ".repeat(data.part.length) + value.slice(data.offset + data.part.length);
  // No word is left. An empty value is a mistake of its own only where the file had no word.
  if (!success || /^[ ,]*$/.test(values[key] ?? "")) delete values[key];
}

function keyOf(issue: z.core.$ZodIssue): string {
  return String(issue.path[0]);
}

function paramsOf(issue: z.core.$ZodIssue): unknown {
  return "params" in issue ? issue.params : undefined;
}

/** What a mistake is about: one of several words, or the whole value. */
function partOf(
  entries: readonly Entry[],
  key: string,
  params: unknown,
): { readonly part: string; readonly line: number; readonly column: number } {
  const own = entries.filter((candidate) => candidate.key === key && candidate.value !== "");
  const { part, offset } = z.catch(PartPlace, { part: own[0]?.value ?? "", offset: 0 }).parse(params);
  const { entry, column } = placeIn(own, offset);
  return { part, line: entry?.line ?? 1, column };
}

/** The place of a character in the lines' values, which are joined with a blank between them. */
function placeIn(lines: readonly Entry[], offset: number): { readonly entry: Entry | undefined; readonly column: number } {
  let rest = offset;
  for (const entry of lines) {
    if (rest <= entry.value.length) return { entry, column: entry.column + rest };
    rest -= entry.value.length + 1;
  }
  return { entry: undefined, column: 1 };
}

const PartPlace = z.object({ part: z.string(), offset: z.number() });

/** Parses a file from the config partition. @returns `undefined` when there is no such file */
export async function readConf<T>(host: Host, file: string, parse: (content: Uint8Array, file: string) => T): Promise<T | undefined> {
  const content = await host.readBytes(file);
  return content === undefined ? undefined : parse(content, file);
}
