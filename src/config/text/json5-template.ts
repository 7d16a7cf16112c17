import { type Problem, ProblemError } from "../../base/problem.ts";
import { quoted } from "../../base/quoted.ts";
import { placeAt } from "./text-lines.ts";

/** A value of a template: text, or a literal of JSON, which is written unchanged outside of a string. */
export type TemplateValue = { readonly text: string } | { readonly literal: string };

type Place = "bare" | "string" | "line comment" | "block comment";

const PLACEHOLDER = /\{\{[ \t]*(\w+)[ \t]*\}\}/y;

/**
 * Fills in the `{{ name }}` of a JSON5 document (spec.json5.org). A value cannot end the place that it is written to: within a
 * string it is escaped as JSON escapes it, and cannot end the string; outside of one, a text becomes a string of its
 * own. Names within values are not replaced.
 *
 * @param file for messages
 * @throws ProblemError with its place for a name without a value, or a string or comment without an end
 */
export function fillJson5(template: string, values: ReadonlyMap<string, TemplateValue>, file: string): string {
  let place: Place = "bare";
  let quote = "";
  let begun = 0;
  let filled = "";
  for (let at = 0; at < template.length;) {
    PLACEHOLDER.lastIndex = at;
    const found = PLACEHOLDER.exec(template);
    if (found !== null) {
      const value = values.get(found[1] ?? "");
      if (value === undefined) throw fault(template, at, file, unknownName(found[1] ?? "", values));
      filled += written(value, place);
      at += found[0].length;
      continue;
    }
    const [one, two] = [template.charAt(at), template.slice(at, at + 2)];
    let taken = 1;
    if (place === "bare") {
      if (one === '"' || one === "'") [place, quote, begun] = ["string", one, at];
      else if (two === "//") [place, begun] = ["line comment", at];
      else if (two === "/*") [place, begun, taken] = ["block comment", at, 2];
    } else if (place === "string") {
      // What a backslash escapes ends no string; neither does the newline of a continued line.
      if (one === "\\") taken = 2;
      else if (one === quote) place = "bare";
    } else if (place === "line comment") {
      if (/[\n\r\u2028\u2029]/.test(one)) place = "bare";
    } else if (two === "*/") [place, taken] = ["bare", 2];
    filled += template.slice(at, at + taken);
    at += taken;
  }
  if (place === "string" || place === "block comment")
    throw fault(template, begun, file, {
      code: "template-not-json5",
      what: `a ${place} of the template has no end`,
      found: quoted(template.slice(begun, begun + 40)),
    });
  return filled;
}

function written(value: TemplateValue, place: Place): string {
  const text = "text" in value ? value.text : value.literal;
  // Escaped for either kind of quote, and without line ends, which would end a comment too.
  const escaped = JSON.stringify(text)
    .slice(1, -1)
    .replaceAll("'", "\\u0027")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
  if (place === "string") return escaped;
  if (place !== "bare") return escaped.replaceAll("/", "\\u002f");
  return "literal" in value ? value.literal : `"${escaped}"`;
}

function unknownName(name: string, values: ReadonlyMap<string, TemplateValue>): Problem {
  return {
    code: "template-name-unknown",
    what: "the template asks for a value that there is not",
    found: quoted(name),
    expected: `one of ${[...values.keys()].join(", ")}`,
  };
}

function fault(template: string, at: number, file: string, told: Problem): ProblemError {
  return new ProblemError({ ...told, where: { file, ...placeAt(template, at) }, todo: "correct the template in the image" });
}
