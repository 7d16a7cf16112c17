import { ProblemError } from "../base/problem.ts";
import { quoted } from "../base/quoted.ts";
import * as z from "../base/schema.ts";

/**
 * Reads the JSON that a tool has printed. Control characters are left out first: firmware puts raw bytes into serial numbers, and older tools
 * pass them on.
 *
 * @param tool its name, for the message
 * @throws ProblemError when it is not JSON, or not of that shape: the caller must take that for "not known", and never for "nothing there"
 */
export function parseToolJson<T extends z.ZodMiniType>(tool: string, text: string, schema: T): z.output<T> {
  const clean = text.replaceAll(/[^\P{Cc}\t\n\r]/gu, "");
  let value: unknown;
  try {
    value = JSON.parse(clean);
  } catch {
    throw notKnown(tool, clean.trim() === "" ? "no output" : quoted(clean.trim()), "JSON");
  }
  return ofShape(tool, value, schema);
}

/** The same, of a part of such a document. */
export function ofShape<T extends z.ZodMiniType>(tool: string, value: unknown, schema: T): z.output<T> {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const place = issue === undefined ? "" : `: ${issue.path.join(".")} ${issue.message}`;
  throw notKnown(tool, quoted(JSON.stringify(value)), `its usual document${place}`);
}

function notKnown(tool: string, found: string, expected: string): ProblemError {
  return new ProblemError({ code: "tool-output-not-known", what: `cannot read what ${tool} says`, found, expected });
}

/** A number that some versions of a tool print as a text. */
export const toolNumber = z.pipe(z.union([z.number(), z.string().check(z.regex(/^\d+$/))]), z.transform(Number));

/** A flag: `true`, 1 or "1", by the version of the tool. */
export const toolFlag = z.pipe(
  z.union([z.boolean(), z.literal([0, 1, "0", "1"])]),
  z.transform((found) => found === true || found === 1 || found === "1"),
);

/** A text, trimmed. `undefined` where there is none. Tools print `null`, leave it out, or fill it with blanks. */
export const toolText = z.pipe(
  z.nullish(z.string()),
  z.transform((found) => (found === null || found === undefined || found.trim() === "" ? undefined : found.trim())),
);

/** Every exit status: for a tool that says in its document how it went. */
export const ANY_STATUS: readonly number[] = Array.from({ length: 256 }, (_, status) => status);
