import { join } from "node:path";
import { oneLine, toProblem } from "../base/problem.ts";
import type { Layout } from "../config/layout/layout.ts";
import { blockDevices } from "../system/disks/lsblk.ts";
import { driveHealth, type DriveHealth, type NvmeLog } from "../system/disks/smartctl.ts";
import { type PowerReading, powerReading } from "../system/hardware/ipmitool.ts";
import type { Host } from "../system/host.ts";
import { families, type Sample, sample } from "./families.ts";
import { writeSamples } from "./textfile.ts";

/** How drives are connected that can say how they are. */
const DRIVES: readonly (string | undefined)[] = ["nvme", "sata", "sas", "ata"];

/**
 * Asks the machine's drives and its BMC, and writes what they say, whole or not at all. One that does not answer is told, and keeps no other
 * one from being asked.
 *
 * @returns why some could not be asked, a line each
 * @throws CommandError or ProblemError where not even the drives' names are known, and file system errors
 */
export async function writeHardwareMetrics(host: Host, layout: Layout): Promise<readonly string[]> {
  const drives = (await blockDevices(host)).filter(
    ({ type, transport, bytes }) => type === "disk" && bytes > 0 && DRIVES.includes(transport),
  );
  const complaints: string[] = [];
  const asked = async (source: string, samples: () => Promise<readonly Sample[] | undefined>): Promise<readonly Sample[]> => {
    try {
      const found = await samples();
      return found === undefined ? [] : [sample(families.hardwareReadable, true, { source }), ...found];
    } catch (error) {
      complaints.push(`${source}: ${oneLine(toProblem(error))}`);
      return [sample(families.hardwareReadable, false, { source })];
    }
  };
  const samples = await Promise.all([
    ...drives.map(async ({ name, path }) => asked(name, async () => driveSamples(name, await driveHealth(host, path)))),
    asked("processor", async () => [sample(families.hardwareGeneration, true, { gen: await generation(host) })]),
    asked("power", async () => powerSamples(await powerReading(host))),
  ]);
  await writeSamples(host, layout, join(layout.collector, "hostos_hardware.prom"), samples.flat());
  return complaints;
}

/** By the last digit of the processor's model, as hosts have always told it. */
async function generation(host: Host): Promise<string> {
  const model = /^model name\s*:.* EPYC \d*(\d)[A-Z]*\b/m.exec((await host.readText("/proc/cpuinfo")) ?? "")?.[1];
  if (model === "2") return "Gen1";
  return model !== undefined && "345".includes(model) ? "Gen2" : "GenUnknown";
}

const HOUR = 3600;
const MINUTE = 60;

/** Those of NVMe have the names that dashboards of hosts already use. */
function driveSamples(device: string, { failing, nvme }: DriveHealth): readonly Sample[] {
  const own = { device };
  const one = (family: Parameters<typeof sample>[0], key: keyof NvmeLog, scale = 1): readonly Sample[] => {
    const value = nvme?.[key];
    return value === undefined ? [] : [sample(family, value * scale, own)];
  };
  return [
    sample(families.driveFailing, failing, own),
    ...one(families.nvmeTemperature, "temperature"),
    ...one(families.nvmeSpare, "available_spare", 0.01),
    ...one(families.nvmeSpareThreshold, "available_spare_threshold", 0.01),
    ...one(families.nvmeUsed, "percentage_used"),
    ...one(families.nvmeWarning, "critical_warning"),
    ...one(families.nvmeMediaErrors, "media_errors"),
    ...one(families.nvmeErrors, "num_err_log_entries"),
    ...one(families.nvmePowerCycles, "power_cycles"),
    ...one(families.nvmePowerOn, "power_on_hours", HOUR),
    ...one(families.nvmeBusy, "controller_busy_time", MINUTE),
    ...one(families.nvmeRead, "data_units_read"),
    ...one(families.nvmeWritten, "data_units_written"),
    ...one(families.nvmeReadCommands, "host_reads"),
    ...one(families.nvmeWriteCommands, "host_writes"),
  ];
}

function powerSamples(reading: PowerReading | undefined): readonly Sample[] | undefined {
  if (reading === undefined) return undefined;
  const { now, average, samplingPeriod } = reading;
  return [
    sample(families.powerNow, now),
    ...(average === undefined ? [] : [sample(families.powerAverage, average)]),
    sample(families.powerPeriod, samplingPeriod ?? -1),
  ];
}
