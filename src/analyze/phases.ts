import type { RunFacts } from "../boot/record/record.ts";
import type { BootClocks } from "../system/systemd/boot-clocks.ts";
import type { TimeDocument } from "./documents.ts";
import type { RunBars } from "./timeline.ts";

/**
 * The phases of the whole boot, from power-on to "startup finished".
 *
 *   firmware, loader, kernel, initrd   as systemd has them from the firmware and the kernel
 *   system     user space that is not ours: before and after the chain, and between its halves where each was a process
 *   lock       the chain's service had started, and another guestos-boot was running
 *   program    the program's own start, up to the record's first line, and its end
 *   chain      a run of the chain
 */
export type PhaseKind = TimeDocument["phases"][number]["kind"];

export interface Phase {
  readonly kind: PhaseKind;
  readonly label: string;
  /** Seconds since the kernel started; negative before that. */
  readonly start: number;
  readonly end: number;
  /** The run, of `chain`. */
  readonly run?: RunBars;
}

/**
 * The service that runs each stage of a boot (etc/common/systemd/system). The halves are for records of releases in which a boot was two
 * processes.
 */
export const stageServices: Readonly<Record<Exclude<RunFacts["stage"], undefined>, string>> = {
  boot: "guestos-boot.service",
  early: "guestos-boot.service",
  late: "guestos-boot-late.service",
};

/**
 * The phases of a boot, without gaps: their sum is its wall time. Without clocks, they begin with the first run and end with the last.
 *
 * @param runs of the boot (`bootRuns`); those that began after systemd had finished are left out
 * @param allRuns including runs by hand: the boot may have waited for the lock of one
 */
export function phasesOf(runs: readonly RunBars[], clocks: BootClocks | undefined, allRuns = runs): readonly Phase[] {
  const phases: Phase[] = [];
  const first = runs[0]?.start ?? 0;
  let at = clocks === undefined ? first : 0 - (clocks.firmware ?? clocks.loader ?? 0);
  const until = (end: number | undefined, kind: PhaseKind, label: string, run?: RunBars): void => {
    if (end === undefined || end <= at) return;
    phases.push({ kind, label, start: at, end, ...(run === undefined ? {} : { run }) });
    at = end;
  };
  if (clocks !== undefined) {
    if (clocks.firmware !== undefined) until(0 - (clocks.loader ?? 0), "firmware", "firmware");
    if (clocks.loader !== undefined) until(0, "loader", "boot loader");
    until(clocks.initrd ?? clocks.userspace, "kernel", "kernel");
    until(clocks.userspace, "initrd", "initrd");
  }
  const within = runs.filter(({ start }) => clocks?.finished === undefined || start < clocks.finished);
  for (const [index, run] of within.entries()) {
    const name = run.facts.stage ?? "run";
    const service = run.facts.stage === undefined ? undefined : clocks?.services[stageServices[run.facts.stage]];
    // For a service that ran more than once, systemd knows the last run only.
    const ours = service !== undefined && service.started <= run.start && run.start - service.started < 3600 ? service : undefined;
    if (ours !== undefined) until(ours.started, "system", index === 0 ? "user space before the chain" : "user space between the stages");
    const held = ours === undefined ? [] : allRuns.filter(({ end }) => end > ours.started && end <= run.start);
    until(held.at(-1)?.end, "lock", `lock, before ${name}`);
    if (ours !== undefined) until(run.start, "program", `start of the program, ${name}`);
    until(run.start, "system", index === 0 ? "user space before the chain" : "user space between the stages");
    until(run.end, "chain", `chain, ${name}`, run);
    if (ours?.ended !== undefined && ours.ended - run.end < 60) until(ours.ended, "program", `end of the program, ${name}`);
  }
  until(clocks?.finished, "system", "user space after the chain");
  return phases;
}
