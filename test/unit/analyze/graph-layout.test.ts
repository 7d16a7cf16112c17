import fc from "fast-check";
import { expect, test } from "vitest";
import { graphLayout } from "../../../src/analyze/graph-layout.ts";
import { graphSvg } from "../../../src/analyze/graph-svg.ts";
import { unitFacts } from "../../../src/run/unit-facts.ts";
import { guestos } from "../../support/chains.ts";
import { elementsOf } from "../../support/markup.ts";

test("each node is in the column behind the last of what comes before it, and what follows is left out", () => {
  const { places, edges, columns } = graphLayout([
    { name: "a", before: [] },
    { name: "b", before: ["a"] },
    { name: "c", before: ["a", "b", "not there"] },
  ]);
  expect(["a", "b", "c"].map((name) => places.get(name)?.column)).toEqual([0, 1, 2]);
  expect(columns).toBe(3);
  expect(edges.map(({ from, to }) => `${from} ${to}`)).toEqual(["a b", "b c"]);
});

test("a long edge goes through a place of its own in each column between", () => {
  const { edges } = graphLayout([
    { name: "a", before: [] },
    { name: "b", before: ["a"] },
    { name: "x", before: [] },
    { name: "c", before: ["b", "x"] },
  ]);
  expect(edges.find(({ from }) => from === "x")?.via).toMatchObject([{ column: 1 }]);
});

test("whatever the graph: no two nodes of a column are nearer than a row, and every arrow points to the right", () => {
  const graphs = fc
    .array(fc.array(fc.nat({ max: 60 }), { maxLength: 4 }), { maxLength: 60 })
    .map((nodes) =>
      nodes.map((before, index) => ({ name: `u${index}`, before: before.filter((other) => other < index).map((other) => `u${other}`) })),
    );
  fc.assert(
    fc.property(graphs, (nodes) => {
      const { places, edges, rows } = graphLayout(nodes);
      const columns = Map.groupBy(places.values(), ({ column }) => column);
      for (const column of columns.values()) {
        const sorted = column.map(({ row }) => row).toSorted((one, other) => one - other);
        for (const [index, row] of sorted.entries()) if (index > 0) expect(row - (sorted[index - 1] ?? 0)).toBeGreaterThanOrEqual(1 - 1e-9);
        expect(sorted[0] ?? 0).toBeGreaterThanOrEqual(-1e-9);
        expect(sorted.at(-1) ?? 0).toBeLessThanOrEqual(rows);
      }
      for (const { from, to } of edges) expect(places.get(from)?.column).toBeLessThan(places.get(to)?.column ?? 0);
    }),
    { numRuns: 50 },
  );
});

test("the chain is drawn: a box for each unit, dashes for order alone, and nothing that is not text", () => {
  const svg = graphSvg(unitFacts(guestos), { title: "the <chain>" });
  elementsOf(svg);
  for (const { name } of guestos) expect(svg).toContain(`>${name}</text>`);
  const unit = { name: "<b>", title: '"', stage: "late", requires: [], after: ["a"] } as const;
  const two = graphSvg([{ ...unit, name: "a", after: [] }, unit], { title: "two" });
  expect(elementsOf(two)).not.toContain("b");
  expect(two).toContain("stroke-dasharray");
});
