import { z } from "../../base/schema.ts";
import type { Host } from "../../system/host.ts";
import { type Finding, refuseFindings } from "../../base/finding.ts";
import { scanKeyValue, type Entry } from "./key-value.ts";
import { quoted } from "../../base/quoted.ts";

/** A value that must pass a check; `expected` is what an operator reads when it does not. */
export function word(expected: string, check: (value: string) => boolean): z.ZodType<string, string> {
  // abort: cross checks between keys only see files whose every value is good.
  return z.string().refine(check, { error: expected, abort: true });
}

/** Several values in one, separated by blanks (or what `separator` matches); each must pass the check, there is at least one, and none may stand there twice. */
export function words(expected: string, check: (value: string) => boolean, separator: RegExp = / +/): z.ZodType<readonly string[], string> {
  return z.string().transform((value, context) => {
    const found: string[] = [];
    let offset = 0;
    for (const part of value.split(separator)) {
      offset = value.indexOf(part, offset);
      const message = found.includes(part) ? `${expected}, each once` : expected;
      if (part !== "" && (!check(part) || found.includes(part))) context.addIssue({ code: "custom", message, params: { part, offset } });
      if (part !== "") found.push(part);
      offset += part.length;
    }
    // Separators alone, as a template leaves them whose values were empty.
    if (found.length === 0) context.addIssue({ code: "custom", message: `${expected}, at least one` });
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
  const { entries, findings } = scanKeyValue(content, file, keys, repeatable);
  const values: Record<string, string> = {};
  for (const { key, value } of entries) if (value !== "") values[key] = values[key] === undefined ? value : `${values[key]} ${value}`;
  const parsed = schema.safeParse(values);
  refuseFindings(file, [...findings, ...(parsed.error?.issues ?? []).map((issue) => findingOf(issue, entries))]);
  if (!parsed.success) throw parsed.error;
  return parsed.data;
}

function findingOf(issue: z.core.$ZodIssue, entries: readonly Entry[]): Finding {
  const key = String(issue.path[0]);
  const own = entries.filter((candidate) => candidate.key === key && candidate.value !== "");
  const { part, offset } = PartPlace.catch({ part: own[0]?.value ?? "", offset: 0 }).parse("params" in issue ? issue.params : undefined);
  const { entry, column } = placeIn(own, offset);
  return {
    line: entry?.line ?? 1,
    column,
    what: `${key} is not usable`,
    found: quoted(part),
    expected: issue.message,
  };
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
