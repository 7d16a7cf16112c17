import type { Host } from "./host.ts";

/**
 * A description of the machine for a report, as label and value. Facts that the machine does not report are left out. Holds no secret:
 * every process may read the kernel's command line.
 */
export async function machineFacts(host: Host): Promise<readonly (readonly [string, string])[]> {
  const read = async (path: string): Promise<string> => (await host.readText(path))?.trim() ?? "";
  const [release, cpu, memory, product, vendor, commandLine, system] = await Promise.all([
    read("/proc/sys/kernel/osrelease"),
    read("/proc/cpuinfo"),
    read("/proc/meminfo"),
    read("/sys/class/dmi/id/product_name"),
    read("/sys/class/dmi/id/sys_vendor"),
    read("/proc/cmdline"),
    read("/etc/os-release"),
  ]);
  const processors = cpu.split("\n").filter((line) => line.startsWith("processor")).length;
  const kibibytes = Number(/^MemTotal:\s+(\d+) kB$/m.exec(memory)?.[1] ?? Number.NaN);
  const facts: readonly (readonly [string, string])[] = [
    ["machine", [vendor, product].filter((part) => part !== "").join(" ")],
    ["processors", processors === 0 ? "" : `${processors} × ${/^model name\s*: (.+)$/m.exec(cpu)?.[1] ?? "unknown"}`],
    ["memory", Number.isNaN(kibibytes) ? "" : `${(kibibytes / 1024 / 1024).toFixed(1)} GiB`],
    ["system", /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(system)?.[1] ?? ""],
    ["kernel", release],
    ["command line", commandLine],
  ];
  return facts.filter(([, value]) => value !== "");
}
