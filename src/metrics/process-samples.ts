import { performance } from "node:perf_hooks";
import type { Host } from "../system/host.ts";
import { families, type Sample, sample } from "./families.ts";

/** The monitor's own process: names as in every Prometheus client. */
export async function processSamples(host: Host): Promise<readonly Sample[]> {
  const { user, system } = process.cpuUsage();
  const files = await host.list("/proc/self/fd");
  return [
    sample(families.processMemory, process.memoryUsage.rss()),
    sample(families.processCpu, (user + system) / 1e6),
    sample(families.processFiles, files?.length ?? 0),
    sample(families.processStart, performance.timeOrigin / 1000),
  ];
}
