import { expect, test } from "vitest";
import { countProcesses } from "../../../bench/process-trace.ts";

const line = (event: string): string => `            task-1       [000] .....    12.345678: ${event}`;
const fork = (parent: number, child: number): string =>
  line(`sched_process_fork: comm=bash pid=${parent} child_comm=bash child_pid=${child}`);
const exec = (pid: number, program: string): string => line(`sched_process_exec: filename=${program} pid=${pid} old_pid=${pid}`);

test("what the roots started is counted, and what that started, and nothing else", () => {
  const trace = [
    ...[fork(1, 10), exec(10, "/usr/lib/systemd/systemd-executor"), exec(10, "/usr/lib/shell-chain/mount-boot.sh")],
    ...[fork(10, 11), fork(11, 12), exec(12, "/usr/bin/grep"), fork(10, 13), exec(13, "/usr/bin/mount")],
    ...[fork(1, 20), exec(20, "/usr/bin/foreign")],
  ].join("\n");
  // The subshell 11 is a process, and no program.
  expect(countProcesses(trace, [10], false)).toEqual({ programs: 3, processes: 4 });
});

test("the threads of a root are no processes; what they start is", () => {
  const trace = [
    exec(10, "/usr/bin/guestos-boot"),
    fork(10, 11),
    fork(11, 12),
    fork(10, 13),
    exec(13, "/usr/bin/mount"),
    fork(13, 14),
  ].join("\n");
  expect(countProcesses(trace, [10], true)).toEqual({ programs: 2, processes: 3 });
});
