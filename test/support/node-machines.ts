import type { Completed } from "../../src/system/command.ts";
import { type FakeHost, fakeHost, type FakeMachine } from "./fake-host.ts";

/** What the tools say of a machine for nodes, as they print it. Without a change it is a good one of type3. */
export interface NodeMachine {
  /** As the processors call themselves, by socket. */
  readonly products: readonly string[];
  readonly capabilities: readonly string[];
  readonly threads: number;
  /** Bytes. */
  readonly memory: number;
  readonly disks: readonly DiskOfTest[];
  /** Whether the firmware is UEFI. */
  readonly isUefi: boolean;
  /** The output of a tool, in the place of the usual one; a status alone where it fails. */
  readonly lshw: string | { readonly status: number; readonly stderr?: string } | ((usual: readonly object[]) => string);
  readonly lsblk: string | { readonly status: number; readonly stderr?: string } | ((usual: object) => string);
  /** By path: the answer of smartctl. */
  readonly smart: Readonly<Record<string, string>>;
  /** By path: the signatures that wipefs shows, with their UUIDs. */
  readonly signatures: Readonly<Record<string, readonly (readonly [type: string, offset: number, uuid?: string])[]>>;
  /** By path: the group of a physical volume, `undefined` for one of none. */
  readonly groups: Readonly<Record<string, GroupOfTest | undefined>>;
  /** By path: UUIDs of the partitions in its table, where the kernel sees others. */
  readonly tables: Readonly<Record<string, readonly string[]>>;
  /** Paths of devices that are not empty. */
  readonly filled: readonly string[];
  /** Paths of devices that fail to be read. */
  readonly broken: readonly string[];
  /** What ipmitool prints, or how it fails. */
  readonly ipmitool: string | Partial<Completed>;
  readonly ports: readonly PortOfTest[];
  /** Of /proc/self/mountinfo: device number and mount point. */
  readonly mounts: readonly (readonly [number: string, mountPoint: string])[];
}

export interface PortOfTest {
  readonly name: string;
  /** Mb/s of a port that has a link. */
  readonly speed?: number;
  /** As ethtool shows them. */
  readonly modes: readonly string[];
}

export const BMC = "b0:7b:25:c8:f6:c0";
/** What ipmitool prints of a BMC. */
export function lanPrint(mac: string): string {
  return [
    "Set in Progress         : Set Complete",
    "IP Address Source       : Static Address",
    "IP Address              : 10.10.101.35",
    "Subnet Mask             : 255.255.255.0",
    `MAC Address             : ${mac}`,
    "SNMP Community String   : public",
    "",
  ].join("\n");
}

export interface GroupOfTest {
  readonly name: string;
  readonly uuid: string;
  readonly changes: number;
  readonly own: string;
  /** UUIDs of its other physical volumes. */
  readonly others: readonly string[];
  readonly volumes: readonly string[];
}

/** A block device in lsblk's own words. */
export interface DiskOfTest {
  readonly name: string;
  readonly [column: string]: unknown;
}

export const TB = 1_000_000_000_000;
export const GIB = 2 ** 30;

const EPYC = ["fpu", "svm", "sev", "sev_es", "sev_snp", "ht"];

/** Drives of 6.4 TB with their exact size, as data centres have them. */
export function nvme(index: number, others: Readonly<Record<string, unknown>> = {}): DiskOfTest {
  return {
    ...{ name: `nvme${index}n1`, type: "disk", size: 6_401_252_745_216, tran: "nvme", "log-sec": 512 },
    ...{ "maj:min": `259:${index * 8}`, model: "SAMSUNG MZWLR6T4HBLA-00007", serial: `S6EWNA0R${100 + index}`, wwn: `eui.3634${index}` },
    ...others,
  };
}

/** A stick, from which the system runs. */
export const STICK: DiskOfTest = {
  ...{ name: "sda", type: "disk", size: 15_631_122_432, tran: "usb", rm: true, "maj:min": "8:0", model: "Ultra Fit", serial: "4C53" },
  children: [{ name: "sda6", type: "part", size: 1_835_008_000, "maj:min": "8:6", mountpoints: ["/"] }],
};

export function nodeMachine(others: Partial<NodeMachine> = {}): NodeMachine {
  return {
    ...{ products: ["AMD EPYC 7543 32-Core Processor", "AMD EPYC 7543 32-Core Processor"], capabilities: EPYC, threads: 128 },
    ...{ memory: 512 * GIB, disks: [STICK, ...[0, 1, 2, 3, 4].map((index) => nvme(index))], isUefi: true },
    ...{ lshw: (usual: readonly object[]) => JSON.stringify(usual), lsblk: (usual: object) => JSON.stringify(usual), smart: {} },
    ...{
      ipmitool: lanPrint(BMC),
      ports: [
        { name: "eno1", modes: ["10baseT/Half 10baseT/Full", "1000baseT/Full"] },
        { name: "enp1s0f0np0", speed: 10_000, modes: ["10000baseT/Full", "25000baseCR/Full"] },
      ],
    },
    ...{ mounts: [["8:6", "/"]], signatures: {}, groups: {}, tables: {}, filled: [], broken: [] },
    ...others,
  };
}

const LSBLK =
  "lsblk --json --bytes --all --output NAME,KNAME,PATH,MAJ:MIN,TYPE,SIZE,RO,RM,LOG-SEC,TRAN,MODEL,SERIAL,WWN,PARTUUID,PARTLABEL,MOUNTPOINTS";
const LSHW = "lshw -json -quiet -class processor -class memory";

/** The same as a machine in memory, with other files beside it. Its devices read as zeros, but for those that are filled or broken. */
export function nodeHost(machine: NodeMachine, files: Readonly<Record<string, string>> = {}): FakeHost {
  const fake = fakeMachine(machine);
  const host = fakeHost({ ...fake, files: { ...fake.files, ...files } });
  return {
    ...host,
    async readAt(path, offset, length) {
      if (!path.startsWith("/dev/")) return host.readAt(path, offset, length);
      if (machine.broken.includes(path)) throw Object.assign(new Error("EIO: i/o error, read"), { code: "EIO", syscall: "read", path });
      return new Uint8Array(length).fill(machine.filled.includes(path) ? 7 : 0);
    },
  };
}

function fakeMachine(machine: NodeMachine): FakeMachine {
  const large = machine.disks.filter(({ type }) => type === "disk");
  const blocks = { blockdevices: machine.disks.map(lsblkDevice) };
  const { lshw, lsblk } = machine;
  return {
    links: Object.fromEntries(
      machine.ports.flatMap(({ name }, at) => [
        [`/sys/class/net/${name}`, `../../devices/pci0000:00/0000:0${at}:00.0/net/${name}`],
        [`/sys/class/net/${name}/device`, `../../../0000:0${at}:00.0`],
      ]),
    ),
    files: {
      ...Object.fromEntries(machine.ports.flatMap(portFiles)),
      "/proc/cpuinfo": cpuinfo(machine),
      "/proc/meminfo": `MemTotal:       ${Math.floor((machine.memory * 0.98) / 1024)} kB\nMemFree: 1 kB\n`,
      "/proc/self/mountinfo": machine.mounts
        .map(([number, point], at) => `${at + 20} 1 ${number} / ${point} rw - ext4 /dev/x rw\n`)
        .join(""),
      ...(machine.isUefi ? { "/sys/firmware/efi/fw_platform_size": "64\n" } : {}),
    },
    commands: {
      "ipmitool lan print": machine.ipmitool,
      ...Object.fromEntries(machine.ports.map((port) => [`ethtool ${port.name}`, ethtool(port)])),
      [LSHW]: typeof lshw === "function" ? lshw(lshwNodes(machine)) : lshw,
      [LSBLK]: typeof lsblk === "function" ? lsblk(blocks) : lsblk,
      ...Object.fromEntries(
        [...everyDevice(machine.disks)].flatMap((path) => [
          [
            `wipefs --json --no-act ${path}`,
            machine.broken.includes(path) ? { status: 1, stderr: "Input/output error" } : wipefs(machine, path),
          ],
          [`sfdisk --json ${path}`, sfdisk(machine, path)],
          [lvmReport(path), lvm(machine, path)],
        ]),
      ),
      ...Object.fromEntries(
        large.map(({ name }) => [`smartctl --json --health /dev/${name}`, machine.smart[`/dev/${name}`] ?? smart({ passed: true }, 0)]),
      ),
    },
  };
}

/** smartctl's answer. @param status its exit status, a mask of bits */
export function smart(health: { readonly passed: boolean } | undefined, status: number, ...messages: readonly string[]): string {
  return JSON.stringify({
    json_format_version: [1, 0],
    smartctl: {
      ...{ version: [7, 3], svn_revision: "5338", argv: ["smartctl", "--json", "--health"] },
      messages: messages.map((string) => ({ string, severity: "error" })),
      exit_status: status,
    },
    device: { name: "/dev/nvme0n1", type: "nvme", protocol: "NVMe" },
    ...(health === undefined ? {} : { smart_status: { ...health, nvme: { value: 0 } } }),
  });
}

function lshwNodes({ products, capabilities, memory }: NodeMachine): readonly object[] {
  const flags = Object.fromEntries(capabilities.map((name) => [name, name === "fpu" ? "mathematical co-processor" : true]));
  return [
    {
      id: "firmware",
      class: "memory",
      claimed: true,
      description: "BIOS",
      vendor: "Dell Inc.",
      physid: "0",
      size: 65_536,
      capacity: 33_554_432,
    },
    ...products.flatMap((product, at) => [
      {
        ...{ id: `cpu:${at}`, class: "processor", claimed: true, handle: `DMI:040${at}`, description: "CPU", product },
        ...{ vendor: "Advanced Micro Devices [AMD]", physid: `40${at}`, businfo: `cpu@${at}`, slot: `CPU${at + 1}`, units: "Hz" },
        ...{ size: 2_794_750_000, configuration: { cores: "32", threads: "64" }, capabilities: flags },
      },
      { id: `cache:${at}`, class: "memory", description: "L3 cache", physid: `70${at}`, units: "bytes", size: 268_435_456 },
    ]),
    {
      ...{ id: "memory", class: "memory", claimed: true, handle: "DMI:1000", description: "System Memory", physid: "1000" },
      ...{
        slot: "System board or motherboard",
        units: "bytes",
        size: memory,
        capabilities: { ecc: "Multi-bit error-correcting code (ECC)" },
      },
      children: [{ id: "bank:0", class: "memory", description: "DIMM DDR4 Synchronous", units: "bytes", size: memory / 16 }],
    },
  ];
}

function portFiles({ name, speed }: PortOfTest, at: number): readonly (readonly [path: string, text: string])[] {
  const values = { type: "1", ifindex: `${at + 2}`, address: `3c:ec:ef:00:00:0${at}`, addr_assign_type: "0", flags: "0x1003" };
  return Object.entries({ ...values, carrier: speed === undefined ? "0" : "1", speed: `${speed ?? -1}` }).map(
    ([file, value]) => [`/sys/class/net/${name}/${file}`, `${value}\n`] as const,
  );
}

function ethtool({ name, speed, modes }: PortOfTest): string {
  return [
    `Settings for ${name}:`,
    "\tSupported ports: [ FIBRE ]",
    `\tSupported link modes:   ${modes.join("\n\t                        ")}`,
    "\tSupported pause frame use: Symmetric",
    "\tAdvertised link modes:  100000baseKR4/Full",
    `\tSpeed: ${speed === undefined ? "Unknown!" : `${speed}Mb/s`}`,
    `\tLink detected: ${speed === undefined ? "no" : "yes"}`,
    "",
  ].join("\n");
}

function* everyDevice(disks: readonly DiskOfTest[]): Generator<string> {
  for (const disk of disks) {
    yield pathOf(disk);
    if (Array.isArray(disk["children"])) yield* everyDevice(disk["children"] as readonly DiskOfTest[]);
  }
}

function pathOf({ name, path }: DiskOfTest): string {
  return typeof path === "string" ? path : `/dev/${name}`;
}

function wipefs({ signatures }: NodeMachine, path: string): string {
  const found = (signatures[path] ?? []).map(([type, offset, uuid = null]) => ({
    ...{ device: path.slice(5), offset: `0x${offset.toString(16)}`, type, uuid, label: null },
  }));
  return JSON.stringify({ signatures: found });
}

function sfdisk({ tables, disks }: NodeMachine, path: string): string {
  const seen = disks
    .filter((disk) => pathOf(disk) === path)
    .flatMap(({ children }) => (Array.isArray(children) ? (children as readonly DiskOfTest[]) : []));
  const uuids = tables[path] ?? seen.map(({ partuuid }) => partuuid);
  const partitions = uuids.map((uuid, at) => ({
    node: `${path}p${at + 1}`,
    start: 2048,
    size: 20_480,
    ...(typeof uuid === "string" ? { uuid: uuid.toUpperCase() } : {}),
  }));
  return JSON.stringify({
    partitiontable: { label: "gpt", device: path, unit: "sectors", sectorsize: 512, ...(partitions.length === 0 ? {} : { partitions }) },
  });
}

function lvmReport(path: string): string {
  const fields = "vg -o vg_name,vg_uuid,vg_seqno --configreport pv -o pv_name,pv_uuid --configreport lv -o lv_name,lv_uuid";
  return `lvm fullreport --readonly --config devices/scan_lvs=1 --reportformat json --units b --nosuffix --configreport ${fields} --configreport seg -o lv_uuid --configreport pvseg -o pv_uuid --devices ${path}`;
}

function lvm({ groups }: NodeMachine, path: string): string {
  const group = groups[path];
  const missing = (group?.others ?? []).map((uuid) => ({ pv_name: "[unknown]", pv_uuid: uuid }));
  return JSON.stringify({
    report: !Object.hasOwn(groups, path)
      ? []
      : [
          {
            vg: group === undefined ? [] : [{ vg_name: group.name, vg_uuid: group.uuid, vg_seqno: String(group.changes) }],
            pv: [{ pv_name: path, pv_uuid: group?.own ?? "abc" }, ...missing],
            lv: (group?.volumes ?? []).map((name) => ({ lv_name: name, lv_uuid: `uuid-of-${name}` })),
          },
        ],
  });
}

function lsblkDevice(device: DiskOfTest): object {
  const { children, ...columns } = device;
  return {
    ...{ kname: device.name, path: `/dev/${device.name}`, "maj:min": "0:0", type: "disk", size: 0, ro: false, rm: false, "log-sec": 512 },
    ...{ tran: null, model: null, serial: null, wwn: null, partuuid: null, partlabel: null, mountpoints: [null] },
    ...columns,
    ...(Array.isArray(children) ? { children: (children as readonly DiskOfTest[]).map(lsblkDevice) } : {}),
  };
}

function cpuinfo({ products, capabilities, threads }: NodeMachine): string {
  return Array.from({ length: threads }, (_, at) => {
    const socket = at % products.length;
    return [
      ...[`processor\t: ${at}`, "vendor_id\t: AuthenticAMD", `model name\t: ${products[socket]}`, `physical id\t: ${socket}`],
      ...[`flags\t\t: ${capabilities.join(" ")}`, "power management: ts ttp", ""],
    ].join("\n");
  }).join("\n");
}
