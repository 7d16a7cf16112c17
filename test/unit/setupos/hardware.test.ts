import { expect, test } from "vitest";
import { askMachine } from "../../../src/setupos/ask-machine.ts";
import { type HardwareVerdict, hardwareVerdict } from "../../../src/setupos/hardware.ts";
import { GIB, type NodeMachine, nodeHost, nodeMachine, nvme, smart, STICK, TB } from "../../support/node-machines.ts";

/** Asks a machine on which the tools say this, and judges it. */
async function verdictOn(machine: Partial<NodeMachine>, rewardType?: string): Promise<HardwareVerdict> {
  const host = nodeHost(nodeMachine(machine));
  const { hardware } = await askMachine(host);
  // Nothing was done but asking.
  expect(host.effects.filter((effect) => !/^run (?:lshw|lsblk|smartctl|wipefs|sfdisk|lvm fullreport) /.test(effect))).toEqual([]);
  return hardwareVerdict(hardware, rewardType);
}

const GEN1: Partial<NodeMachine> = {
  ...{ products: ["AMD EPYC 7302 16-Core Processor", "AMD EPYC 7302 16-Core Processor"], capabilities: ["svm", "sev"], threads: 64 },
  disks: [STICK, ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((index) => nvme(index, { size: 3_200_631_791_616 }))],
};
const drives = (...others: readonly Readonly<Record<string, unknown>>[]): Partial<NodeMachine> => ({
  disks: [STICK, ...[0, 1, 2, 3, 4].map((index) => nvme(index, others[index]))],
});

interface Expected {
  readonly mistakes?: readonly string[];
  readonly warnings?: readonly string[];
  readonly unknown?: readonly string[];
}

const cases: readonly (readonly [what: string, rewardType: string | undefined, machine: Partial<NodeMachine>, expected: Expected])[] = [
  ["a good machine of type3", "type3.1", {}, {}],
  ["a good machine of type1", "type1", GEN1, {}],
  ["the same as type0", "type0.2", GEN1, {}],
  ["a Gen1 machine as type3", "type3", GEN1, { mistakes: ["processor-other", "processor-capability-missing"] }],
  ["a Gen2 machine as type1", "type1.1", {}, { mistakes: ["processor-other", "processor-threads"] }],
  ["a processor of the series 9000", "type3", { products: ["AMD EPYC 9354", "AMD EPYC 9354"] }, {}],
  [
    "Intel, which type4 alone takes",
    "type4.2",
    { products: ["Intel(R) Xeon(R) Gold 6338"], capabilities: ["vmx"], threads: 32, memory: 64 * GIB, disks: [STICK] },
    {},
  ],
  ["no virtualization in the firmware", "type4", { capabilities: [] }, { mistakes: ["processor-capability-missing"] }],
  ["SEV-SNP off in the firmware", "type3.1", { capabilities: ["svm", "sev"] }, { mistakes: ["processor-capability-missing"] }],
  ["one socket empty", "type3.1", { products: ["AMD EPYC 7543"], threads: 64 }, { mistakes: ["processors-few"] }],
  ["SMT off on a machine of Gen1", "type1", { ...GEN1, threads: 32 }, { mistakes: ["processor-threads"] }],
  ["exactly 510 GiB", "type3", { memory: 510 * GIB }, {}],
  ["a module of 32 GiB is not seen", "type3", { memory: 480 * GIB }, { mistakes: ["memory-small"] }],
  ["exactly 32 TB", "type3", drives(...Array.from({ length: 5 }, () => ({ size: 6.4 * TB }))), {}],
  ["a drive is missing", "type3", { disks: [STICK, nvme(0), nvme(1), nvme(2), nvme(3)] }, { mistakes: ["disks-small"] }],
  ["one drive has sectors of 4096 bytes", "type3", drives({}, { "log-sec": 4096 }), { mistakes: ["disk-sectors"] }],
  [
    "a dying drive, and one that does not answer",
    "type3",
    {
      smart: {
        "/dev/nvme1n1": smart({ passed: false }, 8),
        "/dev/nvme2n1": smart(undefined, 2, "Smartctl open device: /dev/nvme2n1 failed"),
        // Bits 2 and 7: a part of the answer is missing, and an old error is in its log.
        "/dev/nvme3n1": smart({ passed: true }, 4 + 128),
      },
    },
    { warnings: ["disk-failing", "disk-health-not-known"] },
  ],
  ["BIOS mode, and no reward type", undefined, { isUefi: false }, { mistakes: ["reward-type-not-known", "not-started-by-uefi"] }],
  [
    "a desktop computer: all at once",
    "type3.1",
    {
      ...{ products: ["13th Gen Intel(R) Core(TM) i7-13700"], capabilities: ["vmx"], threads: 24, memory: 32 * GIB, isUefi: false },
      disks: [STICK, nvme(0, { size: 2_000_398_934_016, "log-sec": 4096 })],
    },
    {
      mistakes: [
        ...["not-started-by-uefi", "disk-sectors", "processor-other", "processor-capability-missing", "processor-capability-missing"],
        ...["processors-few", "processor-threads", "memory-small", "disks-small"],
      ],
    },
  ],
  ["lsblk fails: not the same as no drives", "type3", { lsblk: { status: 1, stderr: "lsblk: boom" } }, { unknown: ["tool-failed"] }],
  ["lsblk says what no version of it says", "type3", { lsblk: '{"blockdevices": [{"kname": 7}]}' }, { unknown: ["tool-output-not-known"] }],
  ["lshw fails: the kernel says enough of processors", "type3", { lshw: { status: 1 }, memory: 1024 * GIB }, {}],
  ["and of memory only that there is so much at least", "type3", { lshw: { status: 1 } }, { unknown: ["memory-not-known"] }],
];

test.each(cases)("%s, as %s", async (_, rewardType, machine, { mistakes = [], warnings = [], unknown = [] }) => {
  const verdict = await verdictOn(machine, rewardType);
  const codes = (problems: HardwareVerdict["mistakes"]): readonly string[] => problems.map(({ code }) => code);
  expect({ mistakes: codes(verdict.mistakes), warnings: codes(verdict.warnings), unknown: codes(verdict.unknown) }).toEqual({
    ...{ mistakes, warnings, unknown },
  });
  for (const { found, expected, todo } of verdict.mistakes)
    expect([found, expected, todo]).toEqual([expect.any(String), expect.any(String), expect.any(String)]);
});

test("each failure says what was found, what is expected, and what to do", async () => {
  const { mistakes } = await verdictOn({ memory: 480 * GIB, disks: [STICK, nvme(0), nvme(1)] }, "type3");
  expect(mistakes).toEqual([
    {
      code: "memory-small",
      what: "there is not enough memory",
      found: "480 GiB, of lshw",
      expected: "510 GiB or more",
      todo: "add memory; if it is there, check in the firmware which modules it does not see",
    },
    {
      code: "disks-small",
      what: "the large drives are too small",
      found: "12.8 TB on 2 drives",
      expected: "32 TB or more, on drives of 1.1 TB or more",
      todo: "add drives; if they are there, check in the firmware that they are seen, and are not behind a RAID",
    },
  ]);
});

test.each([
  [
    "numbers as texts, flags as numbers, and nothing for a device",
    (usual: object) => {
      const text = JSON.stringify(usual)
        .replaceAll(/"size":(\d+)/g, '"size":"$1"')
        .replaceAll(/"(ro|rm)":false/g, '"$1":"0"');
      return text.replace('"blockdevices":[', '"blockdevices":[null,');
    },
  ],
  ["a raw byte in a serial number", (usual: object) => JSON.stringify(usual).replaceAll("S6EW", "S6\u0001EW\u009b")],
])("lsblk of another version says the same: %s", async (_, lsblk) => {
  expect(await verdictOn({ lsblk }, "type3")).toEqual({ mistakes: [], warnings: [], unknown: [] });
});

test.each([
  [
    "a tree",
    (usual: readonly object[]) =>
      JSON.stringify({ id: "node7", class: "system", children: [{ id: "core", class: "bus", children: usual }] }),
  ],
  [
    "objects with commas between them, and nothing around",
    (usual: readonly object[]) => usual.map((node) => JSON.stringify(node)).join(",\n"),
  ],
  [
    "an empty socket, and flash of the firmware",
    (usual: readonly object[]) =>
      JSON.stringify([
        ...usual,
        { id: "cpu:2", class: "processor", disabled: true, product: "Unknown", businfo: "cpu@2" },
        { id: "memory:1", class: "memory", description: "Flash Memory", size: 33_554_432 },
        "nonsense",
        null,
      ]),
  ],
])("lshw of another version says the same: %s", async (_, lshw) => {
  expect(await verdictOn({ lshw }, "type3")).toEqual({ mistakes: [], warnings: [], unknown: [] });
});
