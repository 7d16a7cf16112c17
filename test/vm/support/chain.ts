import { Problem } from "../../../src/base/problem-shape.ts";
import * as z from "../../../src/base/schema.ts";
import { parseRecord, type ReadRecord } from "../../../src/boot/record/read-record.ts";
import type { RecordEvent } from "../../../src/boot/record/record.ts";
import type { ShellResult } from "../../../lab/shell.ts";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";

/** A whole run of the chain on a loaded, emulated machine. */
const TIMEOUT = 600_000;

/** Runs the program in the guest, as an operator does. */
export function guestosBoot(vm: VirtualMachine, args: string): Promise<ShellResult> {
  return vm.shell.run(`guestos-boot ${args}`, { timeout: TIMEOUT });
}

const Unit = z.object({
  name: z.string(),
  outcome: z.string(),
  provisioned: z._default(z.array(z.string()), []),
  activated: z._default(z.array(z.string()), []),
  notes: z.array(z.string()),
  because: z.optional(z.array(z.string())),
  problem: z.optional(Problem),
});

const Run = z.object({ outcome: z.string(), units: z.array(Unit) });
/** What `run --json` and `status --json` print, as far as tests ask. */
export type RunDocument = z.infer<typeof Run>;

/** @throws when it is no such document */
export function runDocument({ stdout }: Partial<ShellResult> & Pick<ShellResult, "stdout">): RunDocument {
  try {
    return Run.parse(JSON.parse(stdout));
  } catch (cause) {
    throw new Error(`guestos-boot did not print a run: ${stdout}`, { cause });
  }
}

/**
 * By the record, for the console may lose a line, or have it torn by the kernel.
 *
 * @returns of each unit of the last run that did not end well, its outcome and its words
 */
export async function troublesOf(vm: VirtualMachine): Promise<Readonly<Record<string, string>>> {
  const { units } = runDocument(await guestosBoot(vm, "status --json"));
  const troubled = units.filter(({ outcome }) => outcome !== "changed" && outcome !== "unchanged");
  return Object.fromEntries(
    troubled.map(({ name, outcome, problem, notes, because = [] }) => {
      const words = [...(problem === undefined ? [] : [problem.what]), ...because, ...notes];
      return [name, [outcome, ...words].join(": ")];
    }),
  );
}

const Plan = z.object({ units: z.array(z.object({ name: z.string(), plan: z.string(), notes: z.array(z.string()) })) });

/** @returns for each unit what `plan --json` says of it: "nothing", "to-do" */
export function plannedUnits({ stdout }: Partial<ShellResult> & Pick<ShellResult, "stdout">): Readonly<Record<string, string>> {
  return Object.fromEntries(Plan.parse(JSON.parse(stdout)).units.map(({ name, plan }) => [name, plan]));
}

/** All runs of this boot so far. */
export async function recordOf(vm: VirtualMachine): Promise<ReadRecord> {
  return parseRecord(await vm.shell.ok("cat /run/guestos-boot/record.jsonl"), "record.jsonl");
}

/** The command lines of all tools that were started. */
export function toolRuns(events: readonly RecordEvent[]): readonly string[] {
  return events.flatMap((event) => (event.event === "started" && event.what.kind === "tool" ? [event.what.argv.join(" ")] : []));
}
