import type { TraceEvent } from "../../src/analyze/trace.ts";

/** A slice that has not ended yet, on the stack of its thread. */
interface Open {
  readonly name: string;
  readonly end: number;
}

/**
 * What Perfetto's importer of Trace Event JSON would count as an error, or silently leave out.
 *
 * It sorts events by their time, those of the same time in the order of the file; keeps a stack of slices for each thread, which must
 * lie inside each other; and hangs both ends of an arrow on the innermost slice of the thread at that time.
 */
export function traceFaults(events: readonly TraceEvent[]): readonly string[] {
  const faults: string[] = [];
  const [names, timed] = [events.filter(({ ph }) => ph === "M"), events.filter(({ ph }) => ph !== "M")];
  for (const { name, args } of names) {
    const given = args?.["name"];
    if (typeof given !== "string" || given === "") faults.push(`a ${name} without a name`);
  }
  const named = new Set(names.flatMap(({ name, pid, tid }) => (name === "thread_name" ? [`${pid} ${tid}`] : [])));
  const processes = new Set(names.flatMap(({ name, pid }) => (name === "process_name" ? [pid] : [])));
  const stacks = new Map<string, Open[]>();
  const begun = new Map<number, string>();
  // Array.sort is stable, as the importer's is.
  for (const event of timed.toSorted((one, other) => (one.ts ?? 0) - (other.ts ?? 0))) {
    const { ph, pid, tid, name, ts, dur, id } = event;
    const where = `${ph} ${JSON.stringify(name)} of thread ${pid} ${tid}`;
    if (!Number.isSafeInteger(ts) || ts === undefined || ts < 0) {
      faults.push(`${where}: no time: ${ts}`);
      continue;
    }
    if (!named.has(`${pid} ${tid}`) || !processes.has(pid)) faults.push(`${where}: its thread or process has no name`);
    const stack = (stacks.get(`${pid} ${tid}`) ?? []).filter(({ end }) => end > ts || (ph !== "X" && end === ts));
    stacks.set(`${pid} ${tid}`, stack);
    if (ph === "X") {
      if (!Number.isSafeInteger(dur) || dur === undefined || dur < 0) {
        faults.push(`${where}: no length: ${dur}`);
        continue;
      }
      const around = stack.at(-1);
      if (around !== undefined && around.end < ts + dur) faults.push(`${where} overlaps ${JSON.stringify(around.name)}`);
      stack.push({ name, end: ts + dur });
      continue;
    }
    if (id === undefined) faults.push(`${where}: an arrow's end without an id`);
    else if (ph === "s") begun.set(id, name);
    else if (!begun.delete(id)) faults.push(`${where}: an arrow that ends before it begins`);
    if (ph === "f" && event.bp !== "e") faults.push(`${where}: points to what comes next, not to what it is in`);
    if (stack.length === 0) faults.push(`${where}: hangs on nothing`);
  }
  return [...faults, ...[...begun.values()].map((name) => `s ${JSON.stringify(name)}: an arrow without an end`)];
}
