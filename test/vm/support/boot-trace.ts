import { gunzipSync } from "node:zlib";
import { type TracedProcesses, tracedProcesses } from "../../../bench/process-trace.ts";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";

/** The chain's services are in it, and nothing else. */
const SLICE = "chain.slice";
const SERVICES = ["guestos-boot.service", "guestos-boot-late.service"];
const BUFFER_KIB = 16_384;

/** What is full is full: later events are dropped, and those of the boot stay (kernel documentation, trace/ftrace). */
const SCRIPT = [
  "[ -e /sys/kernel/tracing/trace ] || mount -t tracefs tracefs /sys/kernel/tracing",
  "cd /sys/kernel/tracing",
  `echo ${BUFFER_KIB} >buffer_size_kb; echo 0 >options/overwrite`,
  "echo 'p:opened do_sys_openat2 name=+0($arg2):ustring' >kprobe_events",
  "for event in kprobes/opened sched/sched_process_fork sched/sched_process_exec; do echo 1 >events/$event/enable; done",
].join("; ");

/** systemd credentials that make a boot count what its chain does. */
export const traceCredentials: Readonly<Record<string, string>> = {
  "systemd.extra-unit.boot-trace.service": `[Unit]
Description=Traces what the boot chain does (given by the host for testing)
DefaultDependencies=no

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/bash -euc "${SCRIPT.replaceAll("$", "$$$$")}"
`,
  [`systemd.extra-unit.${SLICE}`]: "[Unit]\nDefaultDependencies=no\n\n[Slice]\nIOAccounting=yes\n",
  "systemd.unit-dropin.guestos-boot.service": `[Unit]\nWants=boot-trace.service\nAfter=boot-trace.service\n\n[Service]\nSlice=${SLICE}\n`,
  "systemd.unit-dropin.guestos-boot-late.service": `[Service]\nSlice=${SLICE}\n`,
};

/** What a boot's chain did: guestos-boot itself, and all that it started. */
export interface BootCosts extends Omit<TracedProcesses, "processes"> {
  /** Bytes from the disk, and to it. */
  readonly read: number;
  readonly written: number;
}

/** Of a machine that was booted with `traceCredentials`. */
export async function bootCosts(vm: VirtualMachine): Promise<BootCosts> {
  const roots = (await vm.shell.ok(`systemctl show -P ExecMainPID ${SERVICES.join(" ")}`)).trim().split(/\s+/).map(Number);
  const { bytes } = await vm.shell.run("gzip -1 </sys/kernel/tracing/trace", { timeout: 300_000 });
  const [device = "", ...lines] = (await vm.shell.ok(`cat /sys/block/vda/dev /sys/fs/cgroup/${SLICE}/io.stat`)).split("\n");
  const disk = lines.find((line) => line.startsWith(`${device} `)) ?? "";
  const count = (name: string): number => Number(new RegExp(`\\b${name}=(\\d+)`).exec(disk)?.[1]);
  const { programs, opened, openedBelow } = tracedProcesses(gunzipSync(bytes).toString("utf8"), roots, true);
  return { programs, opened, openedBelow, read: count("rbytes"), written: count("wbytes") };
}
