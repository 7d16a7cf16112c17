import type { Host } from "../host.ts";

/** Touched by systemd-timesyncd on each successful synchronization (systemd-timesyncd.service(8), "Files"). */
const SYNCHRONIZED = "/run/systemd/timesync/synchronized";

/** Whether the clock has been set from the network since the boot. Before that, it has the time of the machine's battery-backed clock. */
export async function isClockSet(host: Host): Promise<boolean> {
  return (await host.stat(SYNCHRONIZED)) !== undefined;
}

/** Seconds since the kernel started, by a clock that cannot be set (proc_uptime(5)). */
export async function uptime(host: Host): Promise<number> {
  return Number.parseFloat((await host.readText("/proc/uptime")) ?? "0");
}
