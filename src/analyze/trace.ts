import { type Boot, bootTitle } from "./boot.ts";
import { criticalChain } from "./causes.ts";
import { barLabel, outcomeOf, runName } from "./measures.ts";
import type { Bar, Interval, UnitBar } from "./timeline.ts";

/** An event of the Trace Event Format, which Perfetto opens. */
export interface TraceEvent {
  /** X: a slice with a duration; M: a name; s and f: the two ends of an arrow. */
  readonly ph: "X" | "M" | "s" | "f";
  readonly pid: number;
  readonly tid: number;
  readonly name: string;
  readonly cat?: string;
  /** Microseconds. */
  readonly ts?: number;
  readonly dur?: number;
  readonly id?: number;
  readonly bp?: "e";
  readonly args?: Readonly<Record<string, unknown>>;
}

export interface TraceDocument {
  readonly traceEvents: readonly TraceEvent[];
  readonly displayTimeUnit: "ms";
  readonly otherData: Readonly<Record<string, string>>;
}

/** The phases as one process, and each run as another process with a thread for each unit. Arrows follow the critical chain. */
export function traceDocument(boot: Boot): TraceDocument {
  // Timestamps must not be negative, but the firmware's phase is before 0.
  const zero = Math.min(0, boot.phases[0]?.start ?? 0);
  const micro = (seconds: number): number => Math.round((seconds - zero) * 1e6);
  const events: TraceEvent[] = [named("process_name", 1, 0, "the whole boot"), named("thread_name", 1, 1, "phases")];
  for (const { kind, label, start, end } of boot.phases) {
    events.push({ ph: "X", pid: 1, tid: 1, name: label, cat: kind, ts: micro(start), dur: micro(end) - micro(start) });
  }
  for (const [index, run] of boot.runs.entries()) {
    const pid = index + 2;
    events.push(named("process_name", pid, 0, `chain, ${runName(run)}`));
    let tid = 0;
    const threads = new Map<string, number>();
    for (const unit of run.units) {
      const lanes = new Lanes();
      const own = ++tid;
      threads.set(unit.name, own);
      events.push(named("thread_name", pid, own, unit.name), slice(pid, own, unit.name, unit, micro, unitDetails(unit)));
      const add = (bar: Bar): void => {
        const lane = lanes.laneFor(bar);
        // Tools that run at once overlap, which slices of one thread must not: the second one gets a thread of its own.
        const thread = lane === 0 ? own : (lanes.threads[lane] ??= ++tid);
        if (lane > 0 && thread === tid) events.push(named("thread_name", pid, thread, `${unit.name}, at the same time`));
        events.push(slice(pid, thread, barLabel(bar.what), bar, micro, { outcome: bar.outcome }));
        for (const inner of bar.inside) add(inner);
      };
      for (const bar of unit.inside) add(bar);
    }
    const chain = criticalChain(run).flatMap(({ unit }) => unit ?? []);
    for (const [position, unit] of chain.entries()) {
      const next = chain[position + 1];
      if (next === undefined) continue;
      const arrow = { pid, name: "critical chain", cat: "critical", id: pid * 10_000 + position };
      events.push(
        { ...arrow, ph: "s", tid: threads.get(unit.name) ?? 0, ts: Math.max(micro(unit.start), micro(unit.end) - 1) },
        { ...arrow, ph: "f", bp: "e", tid: threads.get(next.name) ?? 0, ts: micro(next.start) },
      );
    }
  }
  return { traceEvents: events, displayTimeUnit: "ms", otherData: { boot: bootTitle(boot), bootId: boot.facts.bootId } };
}

function named(kind: "process_name" | "thread_name", pid: number, tid: number, name: string): TraceEvent {
  return { ph: "M", pid, tid, name: kind, args: { name } };
}

function slice(
  pid: number,
  tid: number,
  name: string,
  { start, end }: Interval,
  micro: (seconds: number) => number,
  args: Readonly<Record<string, unknown>>,
): TraceEvent {
  return { ph: "X", pid, tid, name, ts: micro(start), dur: micro(end) - micro(start), args };
}

function unitDetails(unit: UnitBar): Readonly<Record<string, unknown>> {
  return { outcome: outcomeOf(unit), requires: unit.requires, notes: unit.notes.map(({ text }) => text) };
}

/** Puts overlapping tools into lanes; plans, actions and waits follow each other and stay in the first. */
class Lanes {
  /** Thread of each further lane. */
  readonly threads: number[] = [];
  readonly #free: number[] = [];

  laneFor({ what, start, end }: Bar): number {
    if (what.kind !== "tool") return 0;
    const lane = this.#free.findIndex((free) => free <= start);
    const taken = lane === -1 ? this.#free.length : lane;
    this.#free[taken] = end;
    return taken;
  }
}
