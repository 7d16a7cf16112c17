/** What the kernel's trace of forks and program starts says of the processes below some roots. */
export interface ProcessCount {
  /** Programs started, the roots' own included: what execve(2) has put into a process last, or between two forks. */
  readonly programs: number;
  /** Processes, the roots included; a subshell is one without a program of its own, a thread is none. */
  readonly processes: number;
}

const FORK = /sched_process_fork: .*\bpid=(\d+) child_comm=.*\bchild_pid=(\d+)/;
const EXEC = /sched_process_exec: filename=(\S+) pid=(\d+)/;

/**
 * @param trace of ftrace, with sched_process_fork and sched_process_exec, in order
 * @param roots processes that systemd started
 * @param threaded roots that are multi-threaded: their children that never start a program are threads
 */
export function countProcesses(trace: string, roots: readonly number[], threaded: boolean): ProcessCount {
  const known = new Set(roots);
  const started = new Set<number>();
  // Threads of the roots fork for them; what starts a program is a process, and so is what that forks.
  const bare = new Set(roots);
  const programs: string[] = [];
  for (const line of trace.split("\n")) {
    const fork = FORK.exec(line);
    if (fork !== null) {
      const [parent, child] = [Number(fork[1]), Number(fork[2])];
      if (!known.has(parent)) continue;
      known.add(child);
      if (bare.has(parent)) bare.add(child);
      continue;
    }
    const [, program, text] = EXEC.exec(line) ?? [];
    const pid = Number(text);
    if (program === undefined || !known.has(pid) || program.endsWith("/systemd-executor")) continue;
    programs.push(program);
    started.add(pid);
    if (!roots.includes(pid)) bare.delete(pid);
  }
  const threads = threaded ? [...bare].filter((pid) => !started.has(pid) && !roots.includes(pid)).length : 0;
  return { programs: programs.length, processes: known.size - threads };
}
