import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as z from "../../src/base/schema.ts";
import { withPanicRetry } from "../../lab/panic-retry.ts";
import { buildFolder, image, stateFolder } from "../../image/paths.ts";
import { guestosBoot } from "../vm/support/chain.ts";
import { injectedNode } from "../vm/support/injected-node.ts";
import { type Cut, PHASES, randomNumbers, spreadOut, withCuts } from "../vm/support/power-cuts.ts";
import { diskOver, type TestImage, testImage } from "../vm/support/upgrade.ts";
import { afterCut, trialBoot, upgradeNode } from "../vm/support/upgrade-node.ts";

/**
 * Many power cuts of one upgrade: `make test-power` (CUTS=50, SEED=1, LANES=1: so many machines at once). It goes on where a run of
 * the same image, seed and number was stopped; the result of each cut is in build/vm/power-CUTS-SEED/results.jsonl.
 */

const COUNT = Number(process.env["CUTS"] || "50");
const SEED = Number(process.env["SEED"] || "1");
const LANES = Number(process.env["LANES"] || "1");
// Several machines at the same time hold each other up where each has several processors.
if (LANES > 1) process.env["MACHINE_PROCESSORS"] ??= "1";
const folder = stateFolder(`power-${COUNT}-${SEED}`);
const files = { plan: join(folder, "plan.json"), results: join(folder, "results.jsonl") };

const Plan = z.object({
  /** Of the disk image: another one is another test. */
  key: z.string(),
  before: z.record(z.string(), z.string()),
  cuts: z.array(z.object({ phase: z.enum(PHASES), at: z.number(), of: z.number(), disk: z.string() })),
});
type Plan = z.infer<typeof Plan>;

/** How many cuts of a phase there are, of ten: an install is the longest, and does most. */
const SHARES: Readonly<Record<Cut["phase"], number>> = { install: 4, commit: 2, "first boot": 2, confirm: 2 };

/** One upgrade, whose disk is kept at more moments than are needed. */
async function makePlan(key: string): Promise<Plan> {
  const random = randomNumbers(SEED);
  const pause = { install: 2500, commit: 60, "first boot": 1500, confirm: 60 };
  const pace = { random, pause, growth: 1 };
  const { committed, before, cuts: first } = await upgradeNode(`power-${COUNT}-${SEED}`, await injectedNode(), pace);
  const name = `power-${COUNT}-${SEED}-trial`;
  const { vm, snapshots, cuts: second } = await trialBoot(name, await diskOver(committed, name), pace);
  try {
    const [confirm, third] = await withCuts("confirm", snapshots, pace, async () => guestosBoot(vm, "upgrade confirm --json"));
    expect(confirm.status, confirm.stderr).toBe(0);
    const all = [...first, ...second, ...third];
    const cuts = PHASES.flatMap((phase) =>
      spreadOut(
        all.filter((cut) => cut.phase === phase),
        Math.round((COUNT * SHARES[phase]) / 10),
      ),
    );
    return { key, before, cuts };
  } finally {
    await vm.powerCut();
  }
}

async function readPlan(key: string): Promise<Plan | undefined> {
  try {
    const plan = Plan.parse(JSON.parse(await readFile(files.plan, "utf8")));
    return plan.key === key ? plan : undefined;
  } catch {
    // None, or one of another version: a new one is made.
    return undefined;
  }
}

async function readResults(): Promise<ReadonlyMap<number, string>> {
  const text = await readFile(files.results, "utf8").catch(() => "");
  const lines = text.split("\n").filter((line) => line !== "");
  return new Map(lines.map((line) => z.tuple([z.number(), z.string()]).parse(JSON.parse(line))));
}

test(
  "after every one of many power cuts one of the two systems comes up, and the upgrade goes on",
  { timeout: 24 * 3600_000 },
  async () => {
    const key = (await readFile(join(buildFolder, "guestos.key"), "utf8")).trim();
    await mkdir(folder, { recursive: true });
    let plan = await readPlan(key);
    if (plan === undefined) {
      plan = await withPanicRetry(async () => makePlan(key));
      await writeFile(files.results, "");
      await writeFile(files.plan, JSON.stringify(plan));
    }
    const { before, cuts } = plan;
    const update: TestImage = await testImage("0.2.0");
    const done = await readResults();
    console.log(`power cuts: ${cuts.length} of seed ${SEED} on ${image.disk}; ${done.size} were inspected before`);
    const failures: string[] = [];
    let inspectedAt = 0;
    // Of all lanes together: each takes the next one.
    const remaining = cuts.entries();
    const lane = async (_: unknown, number: number): Promise<void> => {
      for (const [index, cut] of remaining) {
        const where = `${index + 1}/${cuts.length}  ${cut.phase}, ${cut.at} of ${cut.of} ms`;
        let what = done.get(index);
        if (what === undefined) {
          try {
            what = await withPanicRetry(async () => afterCut(`power-cut-${number + 1}`, cut, { image: update, before }));
            await appendFile(files.results, `${JSON.stringify([index, what])}\n`);
          } catch (error) {
            // Inspected again by the next run; the others are inspected all the same.
            what = `FAILED: ${error instanceof Error ? error.message : String(error)}`;
            failures.push(`${where}: ${what}`);
          }
        }
        console.log(`${where}: ${what}`);
        inspectedAt += 1;
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    for (const phase of PHASES) console.log(`${phase}: ${cuts.filter((cut) => cut.phase === phase).length} cuts`);
    expect(failures).toEqual([]);
    // Without a lane, none would have failed.
    expect(inspectedAt).toBe(cuts.length);
    expect(cuts.length).toBeGreaterThanOrEqual(COUNT);
  },
);
