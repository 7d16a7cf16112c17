/**
 * Boots the shell chain (bench/shell-chain) and guestos-boot in turn, from the same image, on disks of the same layout, and says
 * what each took: a first boot from a blank disk and a boot with nothing to do. First on a machine whose clock counts instructions,
 * which nothing else on the host can spoil; then emulated with two processors; then on KVM where it works. Where it is asked for, in a
 * user-mode Linux, whose kernel is built once (docs/lab.md).
 *
 * BENCH_BOOTS: how often (5; on the counted clock at most 3). BENCH_MACHINES: some of instructions, emulated, kvm, user-mode (all but the
 * last one).
 * BENCH_ROOT=unverified: without dm-verity below the root.
 *
 * Prints tables in Markdown, and leaves all numbers in build/bench/boot.json. See docs/performance.md.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildFolder } from "../image/paths.ts";
import { countedAccelerator, emulation, findAccelerator, userMode } from "../lab/accelerator.ts";
import { withPanicRetry } from "../lab/panic-retry.ts";
import { injectedNode } from "../test/vm/support/injected-node.ts";
import { comparison, COUNTED, profileTable, type Row, wallLines } from "./boot-tables.ts";
import { type BenchMachine, type Chain, chains, type Kind, KINDS, type MeasuredBoot, measuredBoot } from "./measured-boot.ts";
import { withoutStep } from "./shell-chain/chain.ts";
import { imageOfBoth } from "./shell-chain/image.ts";

const BOOTS = Number(process.env["BENCH_BOOTS"] ?? 5);
/** Of the same instructions three times, the middle one says as much as of five. */
const MOST_COUNTED = 3;

const found = await findAccelerator();
const available: readonly BenchMachine[] = [
  { name: "instructions", accelerator: countedAccelerator, processors: 1, isCounted: true, boots: Math.min(BOOTS, MOST_COUNTED) },
  { name: "emulated", accelerator: emulation("as asked for"), processors: 2, isCounted: false, boots: BOOTS },
  ...(found.kind === "kvm" ? [{ name: "kvm", accelerator: found, processors: 2, isCounted: false, boots: BOOTS }] : []),
  { name: userMode.kind, accelerator: userMode, processors: 1, isCounted: false, boots: BOOTS },
];
const wanted = (process.env["BENCH_MACHINES"] || "instructions,emulated,kvm").split(",");
const machines = available.filter(({ name }) => wanted.includes(name));

if (found.kind !== "kvm") console.log(found.text);
if (withoutStep.length > 0) console.log(`the shell chain does less: no script in bench/shell-chain/steps for ${withoutStep.join(", ")}`);
const both = await imageOfBoth();
const { config } = await injectedNode();
interface Result {
  readonly machine: string;
  readonly rows: readonly Row[];
}

let results: readonly Result[] = [];
for (const machine of machines) {
  const before = results;
  const rows = await bootsOn(machine, async (sofar) => {
    // After each boot: a run that is cut short leaves what it has.
    results = [...before, { machine: machine.name, rows: sofar }];
    await writeFile(join(buildFolder, "bench", "boot.json"), `${JSON.stringify(results, undefined, 2)}\n`);
  });
  print(machine, rows);
}

/** Both chains in turns, so that whatever else the host does meets both. */
async function bootsOn(machine: BenchMachine, keep: (rows: readonly Row[]) => Promise<void>): Promise<readonly Row[]> {
  const measured = new Map<string, MeasuredBoot[]>();
  const key = (chain: Chain, kind: Kind): string => `${chain.name}, ${kind}`;
  const rows = (): readonly Row[] =>
    KINDS.flatMap((kind) => chains.map((chain) => ({ kind, chain: chain.name, boots: measured.get(key(chain, kind)) ?? [] })));
  for (let round = 0; round < machine.boots; round += 1) {
    for (const chain of chains) {
      for (const kind of KINDS) {
        const one = await withPanicRetry(() => measuredBoot(machine, chain, kind, both, config));
        measured.set(key(chain, kind), [...(measured.get(key(chain, kind)) ?? []), one]);
        const figures = Object.entries({ ...one.boot }).map(([name, value]) => `${name} ${value.toFixed(2)}`);
        console.error(`${machine.name} ${round + 1}/${machine.boots} ${key(chain, kind)}: ${figures.join(", ")}`);
        await keep(rows());
      }
    }
  }
  return rows();
}

function print(machine: BenchMachine, rows: readonly Row[]): void {
  const lines = machine.isCounted ? COUNTED : wallLines(machine.accelerator.kind === "tcg" ? [1, 0.8] : [0.6, 0.4]);
  console.log(`\n${machine.name}, ${machine.processors} processor(s), medians of ${machine.boots}:\n`);
  console.log(comparison(lines, KINDS, rows).join("\n"));
  if (!machine.isCounted) return;
  for (const kind of KINDS) console.log(`\n${kind}, where the instructions went:\n\n${profileTable(kind, rows).join("\n")}`);
}
