import type { VirtualMachine } from "../../../lab/virtual-machine.ts";

export const MIB = 1024 ** 2;
/** What the monitor says of itself. */
export const STATE = "/run/guestos-boot/monitor.json";

/** Waits inside the guest, whose shell is slow to ask. @returns seconds that it took */
export async function until(vm: VirtualMachine, condition: string, within = 180): Promise<number> {
  const script = `start=$(cut -d' ' -f1 /proc/uptime); for i in $(seq ${within * 2}); do if ${condition}; then
    echo "$start $(cut -d' ' -f1 /proc/uptime)"; exit 0; fi; sleep 0.5; done
    echo "this did not come about: ${condition.replaceAll(/["$`\\]/g, ".")}" >&2; journalctl -u guestos-monitor -o cat -n 40 --no-pager >&2; exit 1`;
  const [start = 0, end = 0] = (await vm.shell.ok(script, { timeout: (within * 4 + 60) * 1000 })).split(" ").map(Number);
  return end - start;
}

async function mainPid(vm: VirtualMachine): Promise<number> {
  return Number(await vm.shell.ok("systemctl show -P MainPID guestos-monitor.service"));
}

export interface Usage {
  readonly rss: number;
  readonly peak: number;
  readonly descriptors: number;
  readonly cpuSeconds: number;
  readonly wakeUps: number;
}

/** Of the monitor's own process. */
export async function usageOf(vm: VirtualMachine): Promise<Usage> {
  const pid = await mainPid(vm);
  const text = await vm.shell.ok(
    `cat /proc/${pid}/status; echo "descriptors: $(ls /proc/${pid}/fd | wc -l)"; echo "ticks: $(cut -d' ' -f14 /proc/${pid}/stat) $(cut -d' ' -f15 /proc/${pid}/stat)"
     echo "switches: $(cat /proc/${pid}/task/*/status | grep ^voluntary | cut -f2 | paste -sd+ | bc 2>/dev/null || awk '/^voluntary/ { sum += $2 } END { print sum }' /proc/${pid}/task/*/status)"`,
  );
  const number = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1]);
  const ticks = /^ticks: (\d+) (\d+)/m.exec(text);
  return {
    rss: number("VmRSS") * 1024,
    peak: number("VmHWM") * 1024,
    descriptors: number("descriptors"),
    // clock ticks: 100 a second on all of Linux.
    cpuSeconds: (Number(ticks?.[1]) + Number(ticks?.[2])) / 100,
    wakeUps: number("switches"),
  };
}
