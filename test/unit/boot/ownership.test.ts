import { matchesGlob } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { overlap as overlapOf, owned } from "../../../src/boot/ownership.ts";

function overlap(one: string, other: string): boolean {
  return overlapOf(owned(one), owned(other));
}

test.each([
  ["/a", "/a"],
  ["/a", "/a/b/c"],
  ["/a/*.conf", "/a/network.conf"],
  ["/a/*.conf", "/a/network.conf/part"],
  ["/a/*.conf", "/a/net*"],
  ["/a/*.conf", "/a"],
  ["/a/*/c", "/a/b"],
  ["/*/b", "/a/?"],
  ["/a/[xy]1", "/a/x?"],
  ["/a/\\*", "/a/*"],
  ["/a/\\*", "/a/\\*"],
  ["mount:/a", "mount:/a"],
  ["mount:/a/b", "/a"],
  ["mount:/a/b", "/a/b"],
  ["/**", "/a"],
  ["/**/x", "/a"],
  ["/a/**/x", "/a/b/c"],
  ["vg:store", "vg:store"],
])("%s and %s overlap, either way round", (one, other) => {
  expect([overlap(one, other), overlap(other, one)]).toEqual([true, true]);
});

test.each([
  ["/a", "/ab"],
  ["/a/b", "/a/c"],
  ["/a/*.conf", "/a/network.json"],
  ["/a/*.conf", "/a/b/network.conf"],
  ["/a/?", "/a/bc"],
  ["/a/x*", "/a/y*"],
  ["/a/\\*", "/a/b"],
  ["/a/[", "/a/b"],
  ["mount:/a", "/a/b"],
  ["mount:/a", "mount:/a/b"],
  ["vg:store", "mapping:store"],
  ["swap", "/swap"],
])("%s and %s do not", (one, other) => {
  expect([overlap(one, other), overlap(other, one)]).toEqual([false, false]);
});

function texts(alphabet: readonly string[], most: number): readonly string[] {
  if (most === 0) return [""];
  const shorter = texts(alphabet, most - 1);
  return [...new Set([...shorter, ...shorter.flatMap((text) => alphabet.map((letter) => text + letter))])];
}

const SEGMENTS = texts(["a", "b"], 2).filter((text) => text !== "");
const PATHS = SEGMENTS.flatMap((one) => [`/${one}`, ...SEGMENTS.flatMap((two) => [`/${one}/${two}`, `/${one}/${two}/a`])]);
const token = fc.constantFrom("a", "b", "*", "?", "[ab]", "[!a]");
const segment = fc.string({ unit: token, minLength: 1, maxLength: 3 });

/** By Node's matcher of patterns: the path itself, or a folder above it. */
function matches(entry: string, path: string): boolean {
  const depth = entry.split("/").length;
  return matchesGlob(path.split("/").slice(0, depth).join("/"), entry);
}

test("if a path matches both, they overlap", () => {
  const entry = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join("/")}`);
  let both = 0;
  fc.assert(
    fc.property(entry, entry, (one, other) => {
      const path = PATHS.find((candidate) => matches(one, candidate) && matches(other, candidate));
      if (path === undefined) return;
      both += 1;
      expect(overlap(one, other), path).toBe(true);
    }),
    { numRuns: 2000 },
  );
  expect(both).toBeGreaterThan(100);
});

test("and if they overlap, there is such a path", () => {
  // Two patterns of two tokens have a name of at most four characters in common, if any. `c` is what none of them names.
  const names = texts(["a", "b", "c"], 4).filter((text) => text !== "");
  const entry = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), minLength: 1, maxLength: 2 }).map((text) => `/${text}`);
  fc.assert(
    fc.property(entry, entry, (one, other) => {
      expect(overlap(one, other)).toBe(names.some((name) => matches(one, `/${name}`) && matches(other, `/${name}`)));
    }),
    { numRuns: 500 },
  );
});

test("patterns of nothing but stars do not take long", () => {
  const start = performance.now();
  expect(overlap(`/${"*a".repeat(500)}`, `/${"*b".repeat(500)}`)).toBe(false);
  expect(performance.now() - start).toBeLessThan(2000);
});
