import { existsSync, globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** docs/proofs.md: README's claims, and what proves them. */
const readme = readFileSync("README.md", "utf8");
const proofs = readFileSync("docs/proofs.md", "utf8");

test("every claim of README has a row, and every row a claim", () => {
  const [, section = ""] = /^## What it never does\n([^#]*)/m.exec(readme) ?? [];
  const claims = [...section.matchAll(/^- It never (\w+)/gm)].map(([, verb]) => verb);
  expect(claims).not.toEqual([]);
  const rows = [...proofs.matchAll(/^\| (\w+)[^|]* \|/gm)].map(([, verb]) => verb).filter((verb) => verb !== "it");
  expect(rows).toEqual(claims);
});

test("the files that rows name exist, and so do the tests that their commands choose", () => {
  for (const [, path = ""] of proofs.matchAll(/`((?:test|src)\/[\w/.-]+\.ts)`/g)) expect(existsSync(path), path).toBe(true);
  const all = globSync("test/**/*.test.ts");
  const chosen = [...proofs.matchAll(/FILE=([\w/.-]+)/g)].map(([, part = ""]) => part);
  expect(chosen.length).toBeGreaterThan(5);
  for (const part of chosen) expect(all.filter((file) => file.includes(part)).length, part).toBeGreaterThan(0);
});
