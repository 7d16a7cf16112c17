import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { profileNames } from "../../../src/profiles/profiles.ts";
import { everyUnit } from "../../support/chains.ts";
import { ELSEWHERE } from "../../crash/effects/chain.ts";
import { coverageLines, exploreEffects, failureText } from "../../crash/effects/coverage.ts";
import { chance } from "../../crash/effects/chance.ts";
import { plantedName, ways } from "../../crash/effects/planted.ts";
import { type Scenario, scenarios } from "../../crash/effects/scenarios.ts";
import { ENVIRONMENT } from "../../crash/effects/target.ts";

/** A sample of the first half of `make test-crash`: docs/reliability.md. */

const SEED = Number(process.env["SEED"] || "1");
/** Cases of each scenario, and milliseconds after which no further one is begun: a busy machine does not come to all. */
const CASES = 2;
const LIMIT = 60_000;

test("killed at an effect, without space from there on, or with an error of the disk: the next run ends as if nothing had been", async () => {
  // Who does not come to all comes to others with another seed.
  // A unit is enumerated in a fraction of the time of a whole chain.
  const place = ({ name, kind }: Scenario): number => chance(`${SEED} ${name}`) + (kind === "unit" ? 0 : 1);
  const names = scenarios.toSorted((one, two) => place(one) - place(two)).map(({ name }) => name);
  const orders = { seed: SEED, sample: CASES, until: Date.now() + LIMIT };
  const coverage = await exploreEffects({ scenarios: names, orders, jobs: 2 });
  console.log(coverageLines(coverage).join("\n"));
  expect(coverage.failures).toEqual([]);
  expect(coverage.results.filter(({ faults }) => faults.length > 0).map((result) => failureText(result, SEED))).toEqual([]);
  expect(coverage.results.filter(({ reached }) => reached).length).toBeGreaterThan(0);
});

test("whatever tools hang from the first one on, a boot ends within the time that verify --bounds promises, and the next one finishes", async () => {
  // An installer runs tools on whole drives alone, and none here.
  const names = scenarios.filter(({ kind, profile }) => kind === "chain" && profile !== "setupos").map(({ name }) => name);
  const { failures, results } = await exploreEffects({ scenarios: names, orders: { seed: SEED, only: "hang" }, jobs: 2 });
  expect(failures).toEqual([]);
  expect(results.flatMap(({ faults }) => faults)).toEqual([]);
  expect(new Set(results.flatMap(({ scenario, reached }) => (reached ? [scenario] : [])))).toEqual(new Set(names));
});

test("in another legal order of its units, a chain ends in the same state", async () => {
  const names = scenarios.filter(({ kind }) => kind === "chain").map(({ name }) => name);
  const { failures, results } = await exploreEffects({ scenarios: names, orders: { seed: SEED, only: `1 order ${SEED}` }, jobs: 2 });
  expect(failures).toEqual([]);
  expect(results.flatMap(({ faults }) => faults)).toEqual([]);
  expect(new Set(results.map(({ scenario }) => scenario))).toEqual(new Set(names));
});

test("every unit of every profile is killed, unless it is nothing without real disks or a real systemd, and every chain as a whole", () => {
  const killed = scenarios.flatMap(({ kind, args }) => (kind === "unit" ? args.slice(-1) : []));
  // What is missing here has no scenario; what is too much in ELSEWHERE (test/crash/effects/chain.ts) is no unit any more.
  expect([...new Set([...killed, ...ELSEWHERE])].toSorted()).toEqual([...new Set(everyUnit.map(({ name }) => name))].toSorted());
  expect(scenarios.flatMap(({ kind, profile }) => (kind === "chain" ? [profile] : []))).toEqual(profileNames);
});

test("a unit that reaches outside its machine, in any way, changes nothing there, and the run says what to do", async () => {
  const folder = mkdtempSync(join(tmpdir(), "guestos-boot-sentinel-"));
  const sentinels = ways.map((way) => [way, join(folder, plantedName(way))] as const);
  for (const [, path] of sentinels) writeFileSync(path, "kept");
  process.env[ENVIRONMENT.planted] = JSON.stringify(Object.fromEntries(sentinels));
  try {
    const scenario = { scenarios: ways.map(plantedName), orders: { seed: SEED, sample: 1 }, jobs: 2 };
    const { failures, results } = await exploreEffects(scenario);
    expect(results).toEqual([]);
    for (const [way, path] of sentinels) {
      expect(readFileSync(path, "utf8"), way).toBe("kept");
      const failure = failures.find((each) => each.startsWith(`${plantedName(way)}: `)) ?? "";
      expect(failure.replaceAll(/\s+/g, " "), way).toMatch(
        /would change .*the machine that runs this test.* take the path from the layout/,
      );
    }
  } finally {
    Reflect.deleteProperty(process.env, ENVIRONMENT.planted);
    rmSync(folder, { recursive: true });
  }
});
