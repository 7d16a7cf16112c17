import type { Host } from "../host.ts";

/** USER_HZ: the unit of times in /proc, 100 on every architecture that matters here (time(7)). */
const TICKS_PER_SECOND = 100;

/**
 * When a process was started, in seconds since the machine started (proc_pid_stat(5), field 22), or `undefined` when no process has that
 * number. A process younger than the event attributed to it merely reuses the number.
 */
export async function processStart(host: Host, pid: number): Promise<number | undefined> {
  const stat = await host.readText(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses, and may itself contain blanks and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields?.[19]);
  return Number.isFinite(ticks) ? ticks / TICKS_PER_SECOND : undefined;
}
