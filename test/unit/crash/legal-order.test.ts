import { expect, test } from "vitest";
import { predecessors } from "../../../src/boot/graph.ts";
import { profileNames, profiles } from "../../../src/profiles/profiles.ts";
import { legalOrder } from "../../crash/legal-order.ts";

const SEEDS = Array.from({ length: 50 }, (_, seed) => seed);

test.each(profileNames)("%s: each order has every unit once, and behind all that it depends on", async (name) => {
  const chain = await profiles[name].chain();
  for (const seed of SEEDS) {
    const order = legalOrder(chain, seed);
    expect(new Set(order)).toEqual(new Set(chain));
    expect(order.length).toBe(chain.length);
    for (const [place, unit] of order.entries())
      for (const before of predecessors(unit)) expect(order.indexOf(before), `${unit.name} needs ${before.name}`).toBeLessThan(place);
  }
});

test("a seed has one order, and others have others", async () => {
  const chain = await profiles.guestos.chain();
  const text = (seed: number): string =>
    legalOrder(chain, seed)
      .map(({ name }) => name)
      .join(" ");
  expect(text(1)).toBe(text(1));
  expect(new Set(SEEDS.map(text)).size).toBe(SEEDS.length);
});

test("what comes after a unit of another half is in its own half alone", async () => {
  const chain = await profiles.guestos.chain();
  const [first, second] = chain;
  if (first === undefined || second === undefined) throw new Error("the chain has two units");
  const late = { ...second, requires: [], after: [first] };
  expect(legalOrder([late], 1)).toEqual([late]);
});
