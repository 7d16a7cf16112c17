import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const readme = readFileSync("README.md", "utf8");

/** Of a table, its rows as cells. */
function rowsOf(text: string): readonly (readonly string[])[] {
  return [...text.matchAll(/^\|(.*)\|$/gm)].map(([, row = ""]) => row.split("|").map((cell) => cell.replaceAll("*", "").trim()));
}

test("the figures of the comparison are those of docs/performance.md", () => {
  const measured = rowsOf(readFileSync("docs/performance.md", "utf8"));
  const told = rowsOf(readme).filter(([what]) => /^(?:first boot|nothing to do): /.test(what ?? ""));
  expect(told).toHaveLength(2);
  for (const row of told) expect(measured.map((cells) => cells.slice(0, row.length))).toContainEqual(row);
  const ratios = measured.filter(([what]) => what?.endsWith(": chain, s") === true).map(([, , , ratio]) => ratio);
  const [, ...said] = /([\d.]+) and ([\d.]+) of the chain's\s+time/.exec(readme) ?? [];
  expect(said, "README.md: of a boot's time").toEqual(ratios);
});
