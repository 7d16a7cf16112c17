/** What the kernel's trace says of the processes below some roots. */
export interface TracedProcesses {
  /** Paths of the programs that were started, in order, the roots' own included: what execve(2) has put into a process last, or between two forks. */
  readonly programs: readonly string[];
  /** Processes, the roots included; a subshell is one without a program of its own, a thread is none. */
  readonly processes: number;
  /** Paths that the roots and their threads opened, as they were given, in order; also of files that are not there. */
  readonly opened: readonly string[];
  /** The same of the programs that they started. */
  readonly openedBelow: readonly string[];
}

const FORK = /sched_process_fork: .*\bpid=(\d+) child_comm=.*\bchild_pid=(\d+)/;
const EXEC = /sched_process_exec: filename=(\S+) pid=(\d+)/;
/** A probe of the kernel's do_sys_openat2 by the name `opened`, with the path as `name`. */
const OPENED = /-(\d+) +\[\d+\] .* opened: \(do_sys_openat2\S*\) name=(.*)$/;

/**
 * @param trace of ftrace, with sched_process_fork and sched_process_exec, in order; with `opened` for the files
 * @param roots processes that systemd started
 * @param threaded roots that are multi-threaded: their children that never start a program are threads
 */
export function tracedProcesses(trace: string, roots: readonly number[], threaded: boolean): TracedProcesses {
  const known = new Set(roots);
  const started = new Set<number>();
  // Threads of the roots fork for them; what starts a program is a process, and so is what that forks.
  const bare = new Set(roots);
  const programs: string[] = [];
  const opened: string[] = [];
  const openedBelow: string[] = [];
  for (const line of trace.split("\n")) {
    const [, parent, child] = FORK.exec(line) ?? [];
    if (parent !== undefined && known.has(Number(parent))) {
      known.add(Number(child));
      if (bare.has(Number(parent))) bare.add(Number(child));
    }
    const [, program, text] = EXEC.exec(line) ?? [];
    const pid = Number(text);
    if (program !== undefined && known.has(pid) && !isExecutor(program)) {
      programs.push(program);
      started.add(pid);
      if (!roots.includes(pid)) bare.delete(pid);
    }
    const [, opener, path] = OPENED.exec(line) ?? [];
    const by = Number(opener);
    // Before its program, systemd's executor is in the process of a root.
    if (path === undefined || !known.has(by) || (roots.includes(by) && !started.has(by))) continue;
    (bare.has(by) ? opened : openedBelow).push(path.replaceAll('"', ""));
  }
  const threads = threaded ? [...bare].filter((pid) => !started.has(pid) && !roots.includes(pid)).length : 0;
  return { programs, processes: known.size - threads, opened, openedBelow };
}

/** What systemd starts first in each process of a service; by a file descriptor, since its version 255. */
function isExecutor(program: string): boolean {
  return program.endsWith("/systemd-executor") || program.startsWith("/proc/self/fd/");
}

/** Where a processor's time went, in seconds. */
export interface ProcessorTime {
  /** The processor had nothing to do: it waited for a device, or for a time. Interrupts that arrive meanwhile are part of it. */
  readonly idle: number;
  readonly busy: number;
  /** Of the roots and all below them: by program; the threads of a root by their names. */
  readonly own: ReadonlyMap<string, number>;
  /** Of all others: by the name that the kernel has for the task, without a number at its end. */
  readonly others: ReadonlyMap<string, number>;
}

const SWITCH = / (\d+\.\d+): sched_switch: prev_comm=(.*) prev_pid=(\d+) prev_prio=.* ==> next_comm=.* next_pid=\d+ /;

/**
 * @param trace of ftrace on one processor, with sched_switch as well; its times are those of the kernel's monotonic clock
 * @param roots as for `tracedProcesses`
 * @param until seconds: what is later does not count
 * @throws when the trace is of more than one processor
 */
export function processorTime(trace: string, roots: readonly number[], until: number): ProcessorTime {
  const known = new Set(roots);
  const programs = new Map<number, string>();
  const own = new Map<string, number>();
  const others = new Map<string, number>();
  let [idle, busy, since] = [0, 0, 0];
  let isStarting = true;
  for (const line of trace.split("\n")) {
    if (/ \[0*[1-9]\d*\] /.test(line)) throw new RangeError(`a trace of more than one processor: ${line}`);
    const [, parent, child] = FORK.exec(line) ?? [];
    if (parent !== undefined && known.has(Number(parent))) {
      known.add(Number(child));
      const program = programs.get(Number(parent));
      if (program !== undefined) programs.set(Number(child), program);
    }
    const [, path, started] = EXEC.exec(line) ?? [];
    if (path !== undefined && !isExecutor(path)) programs.set(Number(started), path.slice(path.lastIndexOf("/") + 1));
    const [, time, name = "", text] = SWITCH.exec(line) ?? [];
    if (time === undefined) continue;
    const [now, pid] = [Math.min(Number(time), until), Number(text)];
    const seconds = now - since;
    since = now;
    // The task that later idles is the one that starts the kernel.
    if (pid === 0 && !isStarting) {
      idle += seconds;
      continue;
    }
    isStarting = false;
    busy += seconds;
    const [times, key] = known.has(pid) ? [own, ownKey(programs.get(pid), name)] : [others, name.replace(/[/:].+$|-?\d+$/, "")];
    times.set(key, (times.get(key) ?? 0) + seconds);
  }
  return { idle, busy, own, others };
}

/** The kernel cuts the name of a task after 15 characters; one of another name than its program is a thread with a name of its own. */
function ownKey(program: string | undefined, task: string): string {
  if (program === undefined) return task;
  return program.startsWith(task) ? program : `${program}: ${task}`;
}
