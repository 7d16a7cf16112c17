import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fillJson5, type TemplateValue } from "../../../../src/config/text/json5-template.ts";
import { problemOf } from "../../../support/problem-of.ts";

/** JSON5 is a part of ECMAScript (spec.json5.org): what breaks out of its place is an error of syntax, a name, or another value. */
function parsed(text: string): unknown {
  return JSON.parse(JSON.stringify(runInNewContext(`(${text}\n)`)));
}

const text = (value: string): ReadonlyMap<string, TemplateValue> => new Map([["x", { text: value }]]);

/** Each place in which a value may be, and what the document is then. */
const PLACES: Readonly<Record<string, readonly [template: string, expected: (value: string) => unknown]>> = {
  "between double quotes": ['{ a: "{{ x }}", b: 1 }', (value) => ({ a: value, b: 1 })],
  "between single quotes": ["{ a: '{{ x }}', b: 1 }", (value) => ({ a: value, b: 1 })],
  "within a text with escapes and continued lines": [
    '{ a: "ip6 saddr { {{ x }} } \\"log\\"\\n\\\nend\\\\", b: 1 }',
    (value) => ({ a: `ip6 saddr { ${value} } "log"\nend\\`, b: 1 }),
  ],
  "twice in a text": ['{ a: "{{ x }},{{x}}", b: 1 }', (value) => ({ a: `${value},${value}`, b: 1 })],
  "without quotes": ["{ a: {{ x }}, b: 1 }", (value) => ({ a: value, b: 1 })],
  "in a comment to the end of the line": ["{ // it's {{ x }}\n b: 1 }", () => ({ b: 1 })],
  "in a comment": ["{ /* don't {{ x }} */ b: 1 }", () => ({ b: 1 })],
  "behind comments with quotes": ['{ /**/ /* " */ // \'\n a: "{{ x }}", b: 1 }', (value) => ({ a: value, b: 1 })],
};

const HOSTILE = [
  ...["", '"', "'", "\\", '\\"', '", evil: "', "\n", "\r\n", "\u2028", "\u2029", "*/", "//", "/*", "\0", "{{ x }}", "}}", "<<PORTS>>"],
  ...['"}); process.exit() //', "\ud800", "😀", "\u0085", "${1}", "__proto__", "$&", "$'", "\\u0022", "\u001b[31m"],
];

describe.each(Object.entries(PLACES))("%s", (_, [template, expected]) => {
  test.each(HOSTILE)("%j stays a value", (value) => {
    expect(parsed(fillJson5(template, text(value), "t"))).toEqual(expected(value));
  });

  test("and so does any text", () => {
    const piece = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: "binary", maxLength: 5 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const value = pieces.join("");
        expect(parsed(fillJson5(template, text(value), "t"))).toEqual(expected(value));
      }),
      { numRuns: 100 },
    );
  });
});

test("a literal is used as it is, and within a string as its text", () => {
  const values = new Map<string, TemplateValue>([["x", { literal: '{"a":["it\'s"]}' }]]);
  expect(parsed(fillJson5("{ a: {{ x }} }", values, "t"))).toEqual({ a: { a: ["it's"] } });
  expect(parsed(fillJson5("{ a: '{{ x }}' }", values, "t"))).toEqual({ a: '{"a":["it\'s"]}' });
});

test("a template without placeholders is not changed", () => {
  const template = "{ a: '{ {', // {x}\n b: {{}} }";
  expect(fillJson5(template, text("v"), "t")).toBe(template);
});

test.each([
  ["{\n  a: {{ y }} }", "template-name-unknown", { line: 2, column: 6 }],
  ['{ a: "{{ x }} }', "template-not-json5", { line: 1, column: 6 }],
  ["{ a: 1 }\n/* {{ x }}", "template-not-json5", { line: 2, column: 1 }],
  ["{ a: 1 } /*/", "template-not-json5", { line: 1, column: 10 }],
])("%j has a fault, with its place", async (template, code, where) => {
  expect(await problemOf(() => fillJson5(template, text("v"), "ic.json5.template"))).toMatchObject({
    code,
    where: { file: "ic.json5.template", ...where },
  });
});
