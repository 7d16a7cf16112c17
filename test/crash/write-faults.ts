import { bootReport, type ConsoleEvent, hasEnded } from "../../lab/console.ts";
import { hasOddDigits, vanDerCorput } from "./points.ts";

/** How a disk fails. */
export interface WriteFault {
  /** The write that fails, from 1. */
  readonly write: number;
  /** That one alone, or all from it on. */
  readonly which: "one" | "all";
}

/** As many as are asked for, of both kinds, spread evenly over that many writes whenever one stops. */
export function* spreadFaults(writes: number): Generator<WriteFault> {
  const seen = new Set<string>();
  for (let n = 0; seen.size < writes; n += 1) {
    const fault: WriteFault = { write: Math.floor(vanDerCorput(n) * writes) + 1, which: hasOddDigits(n) ? "one" : "all" };
    if (seen.has(String(fault.write))) continue;
    seen.add(String(fault.write));
    yield fault;
  }
}

export function faultName({ write, which }: WriteFault): string {
  return `${write} ${which}`;
}

/** @throws Error when it is no such name */
export function faultNamed(name: string): WriteFault {
  const [, write, which] = /^([1-9]\d*) (one|all)$/.exec(name) ?? [];
  if (write === undefined || (which !== "one" && which !== "all")) throw new Error(`"${name}" is no fault: "120 one", "120 all"`);
  return { write: Number(write), which };
}

const EIO = 5;

/** Rules for QEMU's `blkdebug` driver (docs/devel/blkdebug.txt): each write leads to the next state, and in the last one writes fail. */
export function blkdebugRules({ write, which }: WriteFault): string {
  const section = (name: string, options: Readonly<Record<string, string | number>>): string =>
    [`[${name}]`, ...Object.entries(options).map(([option, value]) => `${option} = "${value}"`), ""].join("\n");
  return [
    ...Array.from({ length: write - 1 }, (_, n) => section("set-state", { event: "pwritev", state: n + 1, new_state: n + 2 })),
    section("inject-error", { event: "pwritev", state: write, iotype: "write", errno: EIO, once: which === "one" ? "on" : "off" }),
  ].join("\n");
}

/** "can't read superblock" is what mount(8) says for EIO (libmount's mnt_context_get_mount_excode). */
const NAMES_THE_DISK = /can't read superblock|I\/O error|Input\/output error|\bEIO\b|Read-only file system|\bEROFS\b/i;

/**
 * How a boot on a failing disk may end: by itself; and where something failed, with words about a disk that fails, and not as a
 * defect of the program.
 *
 * @param events what the boot chain, and no one else, said on the console
 */
export function failureFaults(events: readonly ConsoleEvent[]): readonly string[] {
  const report = bootReport(events);
  const text = events.map((event) => (event.kind === "text" ? event.text : event.kind === "unit" ? (event.detail ?? "") : "")).join("\n");
  const failed = report.units.filter(({ outcome }) => outcome === "failed");
  return [
    ...(hasEnded(report) ? [] : ["the boot did not end"]),
    ...(text.includes("a defect in guestos-boot") ? ["it is called a defect in guestos-boot"] : []),
    ...failed.filter(({ detail = "" }) => detail === "").map(({ name }) => `${name} does not say why it failed`),
    ...(failed.length > 0 && !NAMES_THE_DISK.test(text) ? ["nothing says that the disk failed"] : []),
  ];
}
