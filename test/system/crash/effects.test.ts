import { expect, test } from "vitest";
import { killedUnits, unknownElsewhere } from "../../crash/effects/chain.ts";
import { coverageLines, exploreEffects, failureText } from "../../crash/effects/coverage.ts";
import { chance } from "../../crash/effects/explorer.ts";
import { scenarios } from "../../crash/effects/scenarios.ts";

/** A sample of the first half of `make test-crash`: docs/reliability.md. */

const SEED = Number(process.env["SEED"] || "1");
/** Cases of each scenario, and milliseconds after which no further one is begun: a busy machine does not come to all. */
const CASES = 2;
const LIMIT = 50_000;

test("killed at an effect, without space from there on, or with an error of the disk: the next run ends as if nothing had been", async () => {
  // Who does not come to all comes to others with another seed.
  const names = scenarios.map(({ name }) => name).toSorted((one, two) => chance(`${SEED} ${one}`) - chance(`${SEED} ${two}`));
  const orders = { seed: SEED, sample: CASES, until: Date.now() + LIMIT };
  const coverage = await exploreEffects({ scenarios: names, orders, jobs: 2 });
  console.log(coverageLines(coverage).join("\n"));
  expect(coverage.failures).toEqual([]);
  expect(coverage.results.filter(({ faults }) => faults.length > 0).map((result) => failureText(result, SEED))).toEqual([]);
  expect(coverage.results.filter(({ reached }) => reached).length).toBeGreaterThan(0);
});

test("every unit of the chain has its scenario, unless it is nothing without real disks or a real systemd", () => {
  expect(scenarios.map(({ name }) => name)).toEqual(expect.arrayContaining([...killedUnits]));
  expect(unknownElsewhere).toEqual([]);
});
