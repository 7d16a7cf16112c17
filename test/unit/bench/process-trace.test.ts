import { expect, test } from "vitest";
import { processorTime, tracedProcesses } from "../../../bench/process-trace.ts";

const line = (event: string): string => `            task-1       [000] .....    12.345678: ${event}`;
const fork = (parent: number, child: number): string =>
  line(`sched_process_fork: comm=bash pid=${parent} child_comm=bash child_pid=${child}`);
const exec = (pid: number, program: string): string => line(`sched_process_exec: filename=${program} pid=${pid} old_pid=${pid}`);

test("what the roots started is counted, and what that started, and nothing else", () => {
  const trace = [
    ...[fork(1, 10), exec(10, "/proc/self/fd/16"), exec(10, "/usr/lib/shell-chain/mount-boot.sh")],
    ...[fork(10, 11), fork(11, 12), exec(12, "/usr/bin/grep"), fork(10, 13), exec(13, "/usr/bin/mount")],
    ...[fork(1, 20), exec(20, "/usr/bin/foreign")],
  ].join("\n");
  // The subshell 11 is a process, and no program.
  expect(tracedProcesses(trace, [10], false)).toMatchObject({
    programs: ["/usr/lib/shell-chain/mount-boot.sh", "/usr/bin/grep", "/usr/bin/mount"],
    processes: 4,
  });
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
  expect(tracedProcesses(trace, [10], true)).toMatchObject({ programs: ["/usr/bin/guestos-boot", "/usr/bin/mount"], processes: 3 });
});

test("what a root and its threads open is apart from what the programs below them open, and from what systemd and others do", () => {
  const opened = (pid: number, path: string): string =>
    `            task-${pid}      [000] ...1.    12.345678: opened: (do_sys_openat2+0x4/0x200) name="${path}"`;
  const trace = [
    ...[opened(10, "/run/systemd/notify"), exec(10, "/usr/bin/guestos-boot"), opened(10, "/etc/guestos-boot.conf"), fork(10, 11)],
    ...[opened(11, "/proc/mounts"), fork(10, 13), exec(13, "/usr/bin/mount"), opened(13, "/etc/fstab"), opened(20, "/etc/passwd")],
  ].join("\n");
  const { opened: own, openedBelow } = tracedProcesses(trace, [10], true);
  expect([own, openedBelow]).toEqual([["/etc/guestos-boot.conf", "/proc/mounts"], ["/etc/fstab"]]);
});

const at = (seconds: string, event: string): string => `            task-1       [000] d..2. ${seconds.padStart(12)}: ${event}`;
const turn = (seconds: string, from: string, pid: number): string =>
  at(seconds, `sched_switch: prev_comm=${from} prev_pid=${pid} prev_prio=120 prev_state=S ==> next_comm=next one next_pid=7 next_prio=120`);

test("the processor's time goes to who had it: programs of the roots, their threads, all others, and no one", () => {
  const trace = [
    ...[turn("1.000000", "swapper/0", 0), turn("1.500000", "swapper/0", 0)],
    ...[fork(1, 10), exec(10, "/usr/lib/systemd/systemd-executor"), exec(10, "/usr/bin/guestos-boot"), fork(10, 11), fork(10, 12)],
    ...[turn("2.500000", "guestos-boot", 10), turn("2.750000", "libuv-worker", 11), turn("3.000000", "kworker/0:1-events", 40)],
    ...[turn("3.500000", "guestos-boot", 12), exec(12, "/usr/bin/mount"), turn("4.000000", "mount", 12), turn("6.000000", "bash", 20)],
  ].join("\n");
  const { idle, busy, own, others } = processorTime(trace, [10], 5);
  // Before the first turn the task that idles later starts the kernel.
  expect([idle, busy]).toEqual([0.5, 4.5]);
  expect(Object.fromEntries(own)).toEqual({ "guestos-boot": 1.5, "guestos-boot: libuv-worker": 0.25, mount: 0.5 });
  expect(Object.fromEntries(others)).toEqual({ swapper: 1, kworker: 0.25, bash: 1 });
});

test("a trace of two processors is none that can be added up", () => {
  expect(() => processorTime(turn("1.000000", "bash", 20).replace("[000]", "[001]"), [10], 5)).toThrow(/more than one processor/);
});
