import { expect, test } from "vitest";
import { writeHardwareMetrics } from "../../../src/metrics/hardware-samples.ts";
import { profiles } from "../../../src/profiles/profiles.ts";
import { type FakeMachine, fakeHost } from "../../support/fake-host.ts";
import { smart } from "../../support/node-machines.ts";

const { layout } = profiles.hostos;
const FILE = `${layout.collector}/hostos_hardware.prom`;
const LSBLK =
  "lsblk --json --bytes --all --output NAME,KNAME,PATH,MAJ:MIN,TYPE,SIZE,RO,RM,LOG-SEC,TRAN,MODEL,SERIAL,WWN,PARTUUID,PARTLABEL,MOUNTPOINTS";

const drive = (name: string, tran: string, over: object = {}) => ({
  ...{
    kname: name,
    path: `/dev/${name}`,
    "maj:min": "259:0",
    type: "disk",
    size: 1e12,
    ro: false,
    rm: false,
    "log-sec": 512,
    tran,
    ...over,
  },
});
/** smartctl 7.4 of a drive that is well. */
const log = {
  critical_warning: 0,
  temperature: 41,
  available_spare: 100,
  available_spare_threshold: 10,
  percentage_used: 3,
  data_units_read: 1234,
  power_on_hours: 2,
  controller_busy_time: 5,
};
const nvme = JSON.stringify({ ...(JSON.parse(smart({ passed: true }, 0)) as object), nvme_smart_health_information_log: log });
const ask = (name: string): string => `smartctl --json --health --attributes /dev/${name}`;

/** @returns what was written, and what was complained of */
async function written(
  drives: readonly object[],
  machine: FakeMachine,
): Promise<{ readonly text: string; readonly complaints: readonly string[] }> {
  const host = fakeHost({
    ...machine,
    files: { [`${layout.collector}/.keep`]: "", ...machine.files },
    commands: { [LSBLK]: JSON.stringify({ blockdevices: drives }), ...machine.commands },
  });
  const complaints = await writeHardwareMetrics(host, layout);
  return { text: host.files.get(FILE)?.toString() ?? "", complaints };
}

test("an NVMe drive has its counts under the names of hosts, in base units", async () => {
  const { text, complaints } = await written([drive("nvme0n1", "nvme")], { commands: { [ask("nvme0n1")]: nvme } });
  for (const line of [
    'hostos_drive_failing{device="nvme0n1"} 0',
    'nvme_temperature_celsius{device="nvme0n1"} 41',
    'nvme_available_spare_ratio{device="nvme0n1"} 1',
    'nvme_available_spare_threshold_ratio{device="nvme0n1"} 0.1',
    'nvme_percent_used{device="nvme0n1"} 3',
    'nvme_power_on_seconds_total{device="nvme0n1"} 7200',
    'nvme_controller_busy_time_seconds{device="nvme0n1"} 300',
    'nvme_data_units_read_total{device="nvme0n1"} 1234',
  ])
    expect(text).toContain(`${line}\n`);
  // What the drive does not say is absent, and not 0.
  expect(text).not.toContain("nvme_media_errors_total");
  expect(complaints).toEqual([]);
});

test("one drive that fails or does not answer keeps no other one from being asked; what is no drive is not", async () => {
  const { text, complaints } = await written(
    [drive("sda", "sata"), drive("sdb", "sas"), drive("sdc", "usb"), drive("loop0", "", { type: "loop" }), drive("nvme0n1", "nvme")],
    {
      commands: {
        [ask("sda")]: smart({ passed: false }, 8),
        [ask("sdb")]: smart(undefined, 2, "Smartctl open device: /dev/sdb failed"),
        [ask("nvme0n1")]: nvme,
      },
    },
  );
  expect(text).toContain('hostos_drive_failing{device="sda"} 1\n');
  expect(text).not.toContain('hostos_drive_failing{device="sdb"}');
  expect(text).toContain('hostos_hardware_readable{source="sdb"} 0\n');
  expect(text).toContain('hostos_hardware_readable{source="nvme0n1"} 1\n');
  expect(complaints).toEqual([expect.stringMatching(/^sdb: .*does not say whether it is well/)]);
});

test("a machine without a BMC has no metrics of power; one whose BMC does not measure is told", async () => {
  expect((await written([], {})).text).not.toContain("power");
  const bmc = { "/dev/ipmi0": "" };
  const reading = `
    Instantaneous power reading:                   212 Watts
    Minimum during sampling period:                 18 Watts
    Maximum during sampling period:                396 Watts
    Average power reading over sample period:      208 Watts
    IPMI timestamp:                           Mon Mar  2 10:00:00 2026
    Sampling period:                          00000005 Seconds.
    Power reading state is:                   activated

`;
  const command = "ipmitool dcmi power reading";
  const { text } = await written([], { files: bmc, commands: { [command]: reading } });
  expect(text).toContain("power_instantaneous_watts 212\n");
  expect(text).toContain("power_average_watts 208\n");
  expect(text).toContain("power_sampling_period_seconds 5\n");
  const without = await written([], { files: bmc, commands: { [command]: reading.replace(/^.*Sampling period: .*\n/m, "") } });
  expect(without.text).toContain("power_sampling_period_seconds -1\n");
  const silent = await written([], {
    files: bmc,
    commands: { [command]: { status: 1, stderr: "DCMI request failed because: Invalid command (c1)\n" } },
  });
  expect(silent.text).toContain('hostos_hardware_readable{source="power"} 0\n');
  expect(silent.complaints).toEqual([expect.stringContaining("Invalid command")]);
});

test.each([
  ["AMD EPYC 7302 16-Core Processor", "Gen1"],
  ["AMD EPYC 7543 32-Core Processor", "Gen2"],
  ["AMD EPYC 9654P 96-Core Processor", "Gen2"],
  ["QEMU Virtual CPU version 2.5+", "GenUnknown"],
])("a machine with %s is of %s", async (model, gen) => {
  const { text } = await written([], { files: { "/proc/cpuinfo": `processor\t: 0\nmodel name\t: ${model}\n` } });
  expect(text).toContain(`node_hardware_generation{gen="${gen}"} 1\n`);
});
