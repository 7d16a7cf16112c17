import type { Finding } from "../../base/finding.ts";
import { quoted } from "../../base/quoted.ts";
import * as z from "../../base/schema.ts";
import type { JsonFile } from "./json-file.ts";
import type { JsonPath } from "./json-scan.ts";

/** What a mistake in a JSON file says besides its message (`scanSettings`). */
export interface Fault {
  /** The part of the value that is wrong. Without it the whole value is shown. */
  readonly part?: string;
  /** What is left of the value without that part. Without it the whole value counts as absent. */
  readonly rest?: unknown;
  /** So many objects around it count as absent too, because they mean nothing without this value. */
  readonly around?: number;
  /** Nothing of the value may be shown. */
  readonly secret?: true;
}

type Absent = null | undefined | "";

function isAbsent(found: unknown): found is Absent {
  return found === undefined || found === null || found === "";
}

/**
 * A value with its reader and its default. An absent value, `null` and an empty text are the default. With any other value that the reader
 * does not know, `expected` is the message for people.
 */
export function setting<T, const D>(expected: string, read: (found: unknown) => T | undefined, fallback: D, fault: Fault = {}) {
  return z.pipe(
    z.optional(z.unknown()),
    z.transform((found, { issues }): T | D => {
      if (isAbsent(found)) return fallback;
      const meant = read(found);
      if (meant === undefined) issues.push({ code: "custom", message: expected, input: found, params: fault });
      return meant ?? z.NEVER;
    }),
  );
}

/** As `setting`, of a file that a person can still correct: an empty text is a value as any other. `undefined` where it is absent or `null`. */
export function given<T>(expected: string, read: (found: unknown) => T | undefined) {
  return z.pipe(
    z.optional(z.unknown()),
    z.transform((found, { issues }): T | undefined => {
      const meant = found === undefined || found === null ? undefined : read(found);
      if (meant === undefined && found !== undefined && found !== null) issues.push({ code: "custom", message: expected, input: found });
      return meant;
    }),
  );
}

/** As `setting`, without a default: `around` so many objects mean nothing without this value. */
export function needed<T>(expected: string, read: (found: unknown) => T | undefined, around = 1) {
  return z.pipe(
    z.optional(z.unknown()),
    z.transform((found, { issues }): T => {
      const meant = isAbsent(found) ? undefined : read(found);
      if (meant === undefined) issues.push({ code: "custom", message: expected, input: found, params: { around } satisfies Fault });
      return meant ?? z.NEVER;
    }),
  );
}

/** A reader of texts. */
export function text<T>(read: (found: string) => T | undefined): (found: unknown) => T | undefined {
  return (found) => (typeof found === "string" ? read(found) : undefined);
}

/** A reader of texts that have only one form. */
export function plain(isValid: (found: string) => boolean): (found: unknown) => string | undefined {
  return text((found) => (isValid(found) ? found : undefined));
}

/** A reader of texts of that form. */
export function matching(form: RegExp): (found: unknown) => string | undefined {
  return plain((found) => form.test(found));
}

/** A reader of whole numbers within bounds. */
export function whole(least: number, most: number): (found: unknown) => number | undefined {
  return (found) => (typeof found === "number" && Number.isSafeInteger(found) && found >= least && found <= most ? found : undefined);
}

export function flag(found: unknown): boolean | undefined {
  return typeof found === "boolean" ? found : undefined;
}

/** A reader of one of these words. Any other text is one of a later version. */
export function choice<const W extends string>(...words: readonly W[]): (found: unknown) => W | "unknown" | undefined {
  return (found) => (typeof found === "string" ? (words.find((word) => word === found.toLowerCase()) ?? "unknown") : undefined);
}

/** An object with these names. Other names are issues of their own, which `scanSettings` reports apart. */
export function section<T extends z.core.$ZodLooseShape>(shape: T) {
  return z.strictObject(shape, "an object");
}

/** A mistake in a JSON file. */
export interface JsonFinding extends Finding {
  /** The names and numbers that lead to the value, from the outermost on. */
  readonly path: JsonPath;
}

/** The usable part of a JSON file, and what is wrong with the rest. */
export interface Settings<T> {
  /** As if neither the mistakes nor the unknown names were in the file. */
  readonly value: T;
  readonly findings: readonly JsonFinding[];
  /** Paths of names that the schema does not have. */
  readonly unknown: readonly JsonPath[];
}

/** `network_settings.ipv6_config`; of a name from outside, only what is fit to be shown. @param fit makes such a name so */
export function pathText(path: JsonPath, fit: (name: string) => string = quoted): string {
  const parts = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${fit(String(part)).replace(/^"(.*)"$/, "$1")}`));
  return parts.length === 0 ? "the file" : parts.join("").replace(/^\./, "");
}

/**
 * Reads a JSON file by its schema. Each mistake costs the value it is in, and is reported.
 *
 * @param schema accepts the empty object. Its mistakes are few, whatever is in the file: each of them costs one pass over the whole file
 */
export function scanSettings<T>(json: JsonFile, schema: z.ZodMiniType<T>): Settings<T> {
  const findings: JsonFinding[] = [];
  const unknown: (readonly JsonPath[])[] = [];
  // Of its own: parts of it are taken out.
  let rest: unknown = JSON.parse(json.text);
  for (;;) {
    const parsed = z.safeParse(schema, rest);
    if (parsed.success) return { value: parsed.data, findings, unknown: unknown.flat() };
    // From the last to the first, so that the numbers in a list stay valid.
    for (const issue of parsed.error.issues.toReversed()) {
      if (issue.code === "unrecognized_keys") {
        unknown.unshift(issue.keys.map((key) => [...issue.path, key]));
        rest = withoutNames(rest, issue.path, new Set(issue.keys));
        continue;
      }
      const fault = faultOf(issue);
      findings.unshift(findingOf(json, issue.path, issue.message, fault));
      rest = without(rest, issue.path.slice(0, issue.path.length - (fault.around ?? 0)), fault.rest);
    }
  }
}

/** What a reader of this file says of a mistake. */
export function faultOf(issue: z.core.$ZodIssue): Fault {
  return "params" in issue && issue.params !== undefined ? issue.params : {};
}

function findingOf(json: JsonFile, path: JsonPath, expected: string, { part, secret }: Fault): JsonFinding {
  const name = pathText(path);
  const found = secret === true ? "[secret]" : part === undefined ? json.shown(path) : json.fit(part);
  return { path, ...json.place(path), code: "value-not-usable", what: `${name} is not usable`, found, expected };
}

/** The document without these names of the object at a path. All at once: a host can hand over ten thousands of them. */
function withoutNames(document: unknown, path: JsonPath, names: ReadonlySet<string>): unknown {
  return changed(document, path, (found) =>
    typeof found === "object" && found !== null ? Object.fromEntries(Object.entries(found).filter(([name]) => !names.has(name))) : found,
  );
}

/** The document with another value at a path, or without it. Of a path that is not there it changes nothing. */
function without(document: unknown, path: JsonPath, rest: unknown): unknown {
  return path.length === 0 ? (rest ?? {}) : changed(document, path, () => rest);
}

/** The document with what `change` makes of the value at a path; `undefined` takes a name out of its object. */
function changed(document: unknown, path: JsonPath, change: (found: unknown) => unknown): unknown {
  const [name, ...below] = path;
  if (name === undefined) return change(document);
  if (Array.isArray(document))
    return document.map((element: unknown, index) => (index === name ? changed(element, below, change) : element));
  if (typeof document !== "object" || document === null || !Object.hasOwn(document, name)) return document;
  const entries = Object.entries(document).flatMap(([key, content]): readonly (readonly [string, unknown])[] => {
    if (key !== name) return [[key, content]];
    const left = changed(content, below, change);
    return left === undefined ? [] : [[key, left]];
  });
  return Object.fromEntries(entries);
}
