import type { Host } from "../host.ts";

/** USER_HZ: the unit of times in /proc, 100 on every architecture that matters here (time(7)). */
const TICKS_PER_SECOND = 100;

/**
 * When a process was started, in seconds since the machine was (proc_pid_stat(5), field 22), or `undefined` when there
 * is none of that number. A process that is younger than what it is said to have done only has the same number.
 */
export async function processStart(host: Host, pid: number): Promise<number | undefined> {
  const stat = await host.readText(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses, and may hold blanks and parentheses itself.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields?.[19]);
  return Number.isFinite(ticks) ? ticks / TICKS_PER_SECOND : undefined;
}
