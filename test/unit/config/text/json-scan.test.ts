import fc from "fast-check";
import { expect, test } from "vitest";
import { pathKey, scanJson } from "../../../../src/config/text/json-scan.ts";

const DEEPEST = 32;
/** Words of JSON and of what is nearly JSON, in any order. */
const NEARLY = [
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  '"a"',
  '"b"',
  '"\\u12"',
  '"\t"',
  "1",
  "01",
  "-",
  "1e5",
  "true",
  "nul",
  " ",
  "\n",
  "'a'",
  "#",
  "\ufeff",
];

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const texts = fc.oneof(
  fc.json({ maxDepth: 5 }),
  fc.string({ unit: "binary" }),
  fc.array(fc.constantFrom(...NEARLY), { maxLength: 12 }).map((words) => words.join("")),
);

test("it refuses what JSON.parse refuses, and names twice, and nothing else", () => {
  fc.assert(
    fc.property(texts, (text) => {
      const { fault } = scanJson(text, DEEPEST);
      if (fault?.expected === "each name once in an object") return;
      expect(fault === undefined).toBe(isJson(text));
      if (fault !== undefined) expect(fault.offset).toBeLessThanOrEqual(text.length);
    }),
    { numRuns: 2000 },
  );
});

test("what is at the place of a value is that value", () => {
  const holds = (text: string, value: unknown, path: readonly (string | number)[]): void => {
    const range = scanJson(text, DEEPEST).ranges.get(pathKey(path));
    expect(JSON.parse(text.slice(range?.start, range?.end))).toEqual(value);
    if (typeof value !== "object" || value === null) return;
    for (const [name, below] of Object.entries(value)) holds(text, below, [...path, Array.isArray(value) ? Number(name) : name]);
  };
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom("", " ", "\t"), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      // As read again: -0 becomes 0, and `__proto__` a name like any other.
      holds(text, JSON.parse(text), []);
    }),
  );
});

test.each([
  ["", 0, "a value"],
  ['{"a":1,}', 7, "a name in double quotes"],
  ["[1,]", 3, "a value"],
  ["[1 2]", 3, "a comma, or the end of the object or list"],
  ['{"a" 1}', 5, "a colon behind the name"],
  ["{a:1}", 1, "a name in double quotes, or }"],
  ["[}", 1, "a value, or ]"],
  ["1 x", 2, "nothing behind the end of the JSON text"],
  ['{"a":1,"\\u0061":2}', 7, "each name once in an object"],
  ["[".repeat(33), 32, "at most 32 objects and lists within each other"],
])("%j is wrong at %i: %s", (text, offset, expected) => {
  expect(scanJson(text, DEEPEST).fault).toEqual({ offset, expected });
});

test("a text of any depth and length is read without recursion", () => {
  expect(scanJson("[".repeat(200_000), Infinity).fault).toMatchObject({ offset: 200_000 });
  expect(scanJson(`["${"\\n".repeat(500_000)}"]`, DEEPEST).fault).toBeUndefined();
});
