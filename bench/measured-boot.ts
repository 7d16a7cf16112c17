import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import * as z from "../src/base/schema.ts";
import { image, stateFolder } from "../image/paths.ts";
import { withoutRootHash } from "../image/verity.ts";
import type { Accelerator } from "../lab/accelerator.ts";
import { makeDisk } from "../lab/disk.ts";
import { startVirtualMachine } from "../lab/start-virtual-machine.ts";
import type { VirtualMachine } from "../lab/virtual-machine.ts";
import { recordOf } from "../test/vm/support/chain.ts";
import { configMedium, type ConfigFiles } from "../test/vm/support/media.ts";
import { processorTime, tracedProcesses } from "./process-trace.ts";
import type { ImageOfBoth } from "./shell-chain/image.ts";
import { serviceOf, SLICE, steps, TARGET } from "./shell-chain/chain.ts";

const TIMEOUT = 900_000;
const MIB = 1024 ** 2;

/** What boots are measured on. */
export interface BenchMachine {
  readonly name: string;
  readonly accelerator: Accelerator;
  readonly processors: number;
  /** Its clock counts instructions: the kernel traces programs and who has the processor, which costs nothing that matters there. */
  readonly isCounted: boolean;
  readonly boots: number;
}

export interface Chain {
  readonly name: string;
  readonly services: readonly string[];
  readonly target: string;
  /** What the kernel's command line says. */
  readonly arguments: readonly string[];
  /** Whether its services are multi-threaded. */
  readonly threaded: boolean;
}

export const chains: readonly Chain[] = [
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

export type Kind = "first boot" | "nothing to do";
export const KINDS: readonly Kind[] = ["first boot", "nothing to do"];

/** Of one boot. Seconds (on a counted clock: thousand millions of instructions), MiB, numbers. NaN: this machine does not measure it. */
export interface Boot {
  /** Processor time of the chain's slice, user and kernel. */
  readonly own: number;
  /** From the start of the kernel's clock until the target, without the time in which the processor idled. */
  readonly busy: number;
  /** From the start of the kernel's clock until the target. */
  readonly toTarget: number;
  /** From the start of the chain's first process until the target. */
  readonly chain: number;
  /** Of the tools that the end of the chain waited for, one after the other: no orchestrator of these tools is faster. */
  readonly limit: number;
  readonly programs: number;
  readonly processes: number;
  readonly pageFaults: number;
  /** From the disk, and to it, by the chain's slice. */
  readonly read: number;
  readonly written: number;
  /** Peak of the slice, pages of files included. */
  readonly memory: number;
  /** Peak of the program's resident set. */
  readonly program: number;
}

/** Where the instructions went, by program or task; only of a counted clock. */
export interface Profile {
  readonly idle: number;
  readonly own: Readonly<Record<string, number>>;
  readonly others: Readonly<Record<string, number>>;
  /** Paths of the programs that the chain started, in order. */
  readonly programs: readonly string[];
}

export interface MeasuredBoot {
  readonly boot: Boot;
  readonly profile?: Profile;
}

const PROCESSES = "sched:sched_process_fork,sched:sched_process_exec,sched:sched_switch";
const TRACE = [`trace_event=${PROCESSES}`, "trace_clock=mono", "trace_buf_size=32M"];

/** BENCH_ROOT=unverified: without dm-verity, which is what it costs. */
const UNVERIFIED = process.env["BENCH_ROOT"] === "unverified";

/**
 * Boots a chain until its target is reached, measures, and shuts the machine down in order. A first boot makes the disk that a
 * boot with nothing to do takes next.
 *
 * @param backing the image with both chains
 */
export async function measuredBoot(
  machine: BenchMachine,
  chain: Chain,
  kind: Kind,
  backing: ImageOfBoth,
  config: ConfigFiles,
): Promise<MeasuredBoot> {
  const format = machine.accelerator.kind === "user-mode" ? "raw" : "qcow2";
  const disk = join(stateFolder("bench"), `disk.${format}`);
  if (kind === "first boot") await makeDisk({ backing: backing.path, path: disk, size: "8G", format });
  const own = UNVERIFIED ? withoutRootHash(backing.cmdline) : backing.cmdline;
  const cmdline = [own, ...(machine.isCounted ? TRACE : []), ...chain.arguments].join(" ");
  const vm = await startVirtualMachine({
    name: "bench",
    accelerator: machine.accelerator,
    processors: machine.processors,
    disk: { path: disk, format },
    boot: { kind: "kernel", kernel: image.kernel, initrd: image.initrd, cmdline },
    media: kind === "first boot" ? [{ id: "config", image: await configMedium("bench", config) }] : [],
  });
  try {
    await vm.shell.run("systemctl is-system-running --wait", { timeout: TIMEOUT, readyTimeout: TIMEOUT });
    const measured = await measure(vm, chain, machine.isCounted);
    await vm.shell.run("systemctl --no-block poweroff");
    await vm.ended;
    return measured;
  } finally {
    await vm.powerCut();
  }
}

async function measure(vm: VirtualMachine, chain: Chain, isTraced: boolean): Promise<MeasuredBoot> {
  const state = (await vm.shell.ok(`systemctl is-active ${chain.target} || systemctl --failed`)).trim();
  if (state !== "active") throw new Error(`${chain.name} did not reach ${chain.target}: ${state}`);
  const roots = await shown(vm, chain.services, "ExecMainPID");
  const [reached = Number.NaN] = await shown(vm, [chain.target], "ActiveEnterTimestampMonotonic");
  const [own = Number.NaN] = await shown(vm, [SLICE], "CPUUsageNSec");
  const starts = await shown(vm, chain.services, "ExecMainStartTimestampMonotonic");
  const trace = isTraced ? await traceOf(vm) : undefined;
  const time = trace === undefined ? undefined : processorTime(trace, roots, reached / 1e6);
  const traced = trace === undefined ? undefined : tracedProcesses(trace, roots, chain.threaded);
  const isOurs = chain.threaded;
  const boot = {
    own: own / 1e9,
    busy: time?.busy ?? Number.NaN,
    toTarget: reached / 1e6,
    chain: (reached - Math.min(...starts)) / 1e6,
    limit: isOurs ? await limitOf(vm) : Number.NaN,
    programs: traced?.programs.length ?? Number.NaN,
    processes: traced?.processes ?? Number.NaN,
    ...(await sliceFigures(vm)),
    program: isOurs ? await programPeak(vm) : Number.NaN,
  };
  if (time === undefined) return { boot };
  const programs = traced?.programs ?? [];
  return { boot, profile: { idle: time.idle, own: Object.fromEntries(time.own), others: Object.fromEntries(time.others), programs } };
}

/** Numbers that systemd has, a unit after the other. */
async function shown(vm: VirtualMachine, units: readonly string[], property: string): Promise<readonly number[]> {
  const text = await vm.shell.ok(`systemctl show --property ${property} ${units.join(" ")}`, { timeout: TIMEOUT });
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => Number(line.slice(line.indexOf("=") + 1)));
}

/** @throws when the kernel has dropped the oldest of it */
async function traceOf(vm: VirtualMachine): Promise<string> {
  const script = "cd /sys/kernel; [ -e tracing/trace ] || mount -t tracefs tracefs tracing; cd tracing; echo 0 >tracing_on; gzip -1 <trace";
  const { status, stderr, bytes } = await vm.shell.run(script, { timeout: TIMEOUT });
  if (status !== 0) throw new Error(`the kernel's trace cannot be read: ${stderr}`);
  const trace = gunzipSync(bytes).toString("utf8");
  const [, kept, written] = /entries-in-buffer\/entries-written: (\d+)\/(\d+)/.exec(trace) ?? [];
  if (kept === undefined || kept !== written) throw new Error(`the kernel's trace is not whole: ${kept} of ${written} entries`);
  return trace;
}

/** Of the cgroup itself: systemd adds up all devices, and so counts each layer of an encrypted volume. */
async function sliceFigures(vm: VirtualMachine): Promise<Pick<Boot, "read" | "written" | "pageFaults" | "memory">> {
  const disks = "lsblk --noheadings --nodeps --output PKNAME /dev/disk/by-partlabel/grub";
  const script = `cat "/sys/block/$(${disks})/dev"; cd /sys/fs/cgroup/${SLICE}; cat memory.peak; grep pgfault memory.stat; cat io.stat`;
  const [device = "", peak, faults = "", ...devices] = (await vm.shell.ok(script)).split("\n");
  const disk = devices.find((line) => line.startsWith(`${device} `));
  const bytes = (name: string): number => Number(new RegExp(`\\b${name}=(\\d+)`).exec(disk ?? "")?.[1]);
  return {
    read: bytes("rbytes") / MIB,
    written: bytes("wbytes") / MIB,
    pageFaults: Number(faults.split(" ")[1]),
    memory: Number(peak) / MIB,
  };
}

/** The part of `analyze critical-chain --json` that is needed. */
const CriticalChain = z.object({
  links: z.array(z.object({ parts: z.array(z.object({ kind: z.string(), seconds: z.number() })) })),
});

/** By the boot's own record. Waiting for devices counts: they come when they come. */
async function limitOf(vm: VirtualMachine): Promise<number> {
  const { links } = CriticalChain.parse(await vm.shell.json("guestos-boot analyze critical-chain --json", { timeout: TIMEOUT }));
  const parts = links.flatMap((link) => link.parts).filter(({ kind }) => kind === "tool" || kind === "wait");
  return parts.reduce((sum, { seconds }) => sum + seconds, 0);
}

async function programPeak(vm: VirtualMachine): Promise<number> {
  const { events } = await recordOf(vm);
  return Math.max(...events.map((event) => (event.event === "run-ended" ? (event.peakMemory ?? Number.NaN) : 0))) / MIB;
}
