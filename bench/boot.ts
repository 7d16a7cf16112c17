/**
 * Boots the shell chain (bench/shell-chain) and guestos-boot in turn, from the same image, on disks of the same layout, and says
 * what each took: a first boot from a blank disk and a boot with nothing to do, BENCH_BOOTS times each (5 when absent).
 *
 * Prints a table of medians and ratios, and leaves all numbers in build/bench/boot.json. See docs/performance.md.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "../src/base/schema.ts";
import { findAccelerator } from "../lab/accelerator.ts";
import { makeDisk } from "../lab/disk.ts";
import { withPanicRetry } from "../lab/panic-retry.ts";
import { buildFolder, image, stateFolder } from "../image/paths.ts";
import { startVirtualMachine } from "../lab/start-virtual-machine.ts";
import type { VirtualMachine } from "../lab/virtual-machine.ts";
import { injectedNode } from "../test/vm/support/injected-node.ts";
import { configMedium } from "../test/vm/support/media.ts";
import { countProcesses } from "./process-trace.ts";
import { serviceOf, SLICE, steps, TARGET, withoutStep } from "./shell-chain/chain.ts";
import { imageOfBoth } from "./shell-chain/image.ts";
import { median } from "./median.ts";

/** The part of `analyze critical-chain --json` that is needed. */
const CriticalChain = z.object({
  links: z.array(z.object({ parts: z.array(z.object({ kind: z.string(), seconds: z.number() })) })),
});

const BOOTS = Number(process.env["BENCH_BOOTS"] ?? 5);
const PATIENCE = 900_000;

interface Chain {
  readonly name: string;
  readonly services: readonly string[];
  readonly target: string;
  readonly arguments: readonly string[];
  readonly threaded: boolean;
}

const TRACE = ["trace_event=sched:sched_process_fork,sched:sched_process_exec", "trace_buf_size=16M"];
const chains: readonly Chain[] = [
  {
    name: "shell chain",
    services: steps.map((step) => `${serviceOf(step)}.service`),
    target: TARGET,
    arguments: [
      `systemd.wants=${TARGET}`,
      ...["guestos-boot", "guestos-boot-late", "guestos-monitor"].map((name) => `systemd.mask=${name}.service`),
    ],
    threaded: false,
  },
  {
    name: "guestos-boot",
    services: ["guestos-boot.service", "guestos-boot-late.service"],
    target: "guestos-boot.target",
    arguments: ["systemd.mask=guestos-monitor.service"],
    threaded: true,
  },
];

/** Of one boot. Seconds, bytes, numbers of processes. */
const MEASURES = {
  seconds: "chain, s",
  programs: "programs",
  processes: "processes",
  cpu: "CPU, s",
  read: "read, MiB",
  written: "written, MiB",
  memory: "peak, MiB",
  /** Of the tools that the end of the chain waited for, one after the other: no orchestrator of these tools is faster. */
  limit: "limit, s",
} as const;
type Measure = keyof typeof MEASURES;
type Boot = Readonly<Record<Measure, number>>;
type Kind = "first boot" | "nothing to do";
const KINDS: readonly Kind[] = ["first boot", "nothing to do"];

if (withoutStep.length > 0) console.log(`the shell chain does less: no script in bench/shell-chain/steps for ${withoutStep.join(", ")}`);
const both = await imageOfBoth();
const { config } = await injectedNode();
const results = new Map<string, Boot[]>();
for (let round = 0; round < BOOTS; round += 1) {
  for (const chain of chains) {
    for (const kind of KINDS) {
      const boot = await withPanicRetry(() => measuredBoot(chain, kind));
      const key = `${chain.name}, ${kind}`;
      results.set(key, [...(results.get(key) ?? []), boot]);
      console.error(
        `${round + 1}/${BOOTS} ${key}: ${Object.entries(boot)
          .map(([name, value]) => `${name} ${value.toFixed(1)}`)
          .join(", ")}`,
      );
    }
  }
}

const accelerator = await findAccelerator();
const rows = KINDS.flatMap((kind) =>
  chains.map((chain) => ({ kind, chain: chain.name, boots: results.get(`${chain.name}, ${kind}`) ?? [] })),
);
const medians = rows.map(({ kind, chain, boots }) => ({ kind, chain, ...medianBoot(boots) }));
print();
await mkdir(join(buildFolder, "bench"), { recursive: true });
await writeFile(join(buildFolder, "bench", "boot.json"), `${JSON.stringify({ boots: BOOTS, accelerator, medians, rows }, undefined, 2)}\n`);

async function measuredBoot(chain: Chain, kind: Kind): Promise<Boot> {
  const disk = join(stateFolder("bench"), "disk.qcow2");
  if (kind === "first boot") await makeDisk({ backing: both, path: disk, size: "8G" });
  const cmdline = [(await readFile(image.cmdline, "utf8")).trim(), ...TRACE, ...chain.arguments].join(" ");
  const vm = await startVirtualMachine({
    name: "bench",
    disk: { path: disk },
    boot: { kind: "kernel", kernel: image.kernel, initrd: image.initrd, cmdline },
    media: kind === "first boot" ? [{ id: "config", image: await configMedium("bench", config) }] : [],
  });
  try {
    await vm.shell.run("systemctl is-system-running --wait", { timeout: PATIENCE, readyTimeout: PATIENCE });
    const boot = await measure(vm, chain);
    await vm.shell.run("systemctl --no-block poweroff");
    await vm.ended;
    return boot;
  } finally {
    await vm.powerCut();
  }
}

async function measure(vm: VirtualMachine, chain: Chain): Promise<Boot> {
  const shown = async (units: readonly string[], ...properties: readonly string[]): Promise<readonly number[]> => {
    const text = await vm.shell.ok(`systemctl show --property ${properties.join(",")} ${units.join(" ")}`, { timeout: PATIENCE });
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => Number(line.slice(line.indexOf("=") + 1)));
  };
  const state = (await vm.shell.ok(`systemctl is-active ${chain.target} || systemctl --failed`)).trim();
  if (state !== "active") throw new Error(`${chain.name} did not reach ${chain.target}: ${state}`);
  const starts = await shown(chain.services, "ExecMainStartTimestampMonotonic");
  const roots = await shown(chain.services, "ExecMainPID");
  const [reached = Number.NaN] = await shown([chain.target], "ActiveEnterTimestampMonotonic");
  const of = async (property: string): Promise<number> => (await shown([SLICE], property))[0] ?? Number.NaN;
  const trace = await vm.shell.ok(
    "mount -t tracefs tracefs /mnt 2>/dev/null; cat /sys/kernel/tracing/trace 2>/dev/null || cat /mnt/trace",
    {
      timeout: PATIENCE,
    },
  );
  const MIB = 1024 ** 2;
  return {
    seconds: (reached - Math.min(...starts)) / 1e6,
    ...countProcesses(trace, roots, chain.threaded),
    cpu: (await of("CPUUsageNSec")) / 1e9,
    read: (await of("IOReadBytes")) / MIB,
    written: (await of("IOWriteBytes")) / MIB,
    memory: (await of("MemoryPeak")) / MIB,
    limit: chain.threaded ? await limitOf(vm) : Number.NaN,
  };
}

/** By the boot's own record. Waiting for devices counts: they come when they come. */
async function limitOf(vm: VirtualMachine): Promise<number> {
  const { links } = CriticalChain.parse(await vm.shell.json("guestos-boot analyze critical-chain --json", { timeout: PATIENCE }));
  const parts = links.flatMap((link) => link.parts).filter(({ kind }) => kind === "tool" || kind === "wait");
  return parts.reduce((sum, { seconds }) => sum + seconds, 0);
}

function medianBoot(boots: readonly Boot[]): Boot {
  const of = (name: Measure): number => median(boots.map((boot) => boot[name]));
  return {
    seconds: of("seconds"),
    programs: of("programs"),
    processes: of("processes"),
    cpu: of("cpu"),
    read: of("read"),
    written: of("written"),
    memory: of("memory"),
    limit: of("limit"),
  };
}

function print(): void {
  const names = Object.keys(MEASURES) as readonly Measure[];
  const line = (title: string, cells: readonly string[]): void =>
    console.log(title.padEnd(30) + cells.map((cell) => cell.padStart(14)).join(""));
  line(
    `medians of ${BOOTS}`,
    names.map((name) => MEASURES[name]),
  );
  for (const kind of KINDS) {
    const [shell, ours] = medians.filter((row) => row.kind === kind);
    if (shell === undefined || ours === undefined) continue;
    for (const row of [shell, ours])
      line(
        `${kind}, ${row.chain}`,
        names.map((name) => row[name].toFixed(1)),
      );
    line(
      `${kind}, ratio`,
      names.map((name) => (ours[name] / shell[name]).toFixed(2)),
    );
    console.log(`${kind}: chain / limit ${(ours.seconds / ours.limit).toFixed(2)}`);
  }
}
