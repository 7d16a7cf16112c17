import { expect, test } from "vitest";
import { askMachine } from "../../../src/setupos/ask-machine.ts";
import { type DiskPlan, planDisks } from "../../../src/setupos/disk-plan.ts";
import {
  type DiskOfTest,
  GIB,
  type GroupOfTest,
  type NodeMachine,
  nodeHost,
  nodeMachine,
  nvme,
  STICK,
} from "../../support/node-machines.ts";

async function planOn(machine: Partial<NodeMachine>, token?: string): Promise<DiskPlan> {
  const host = nodeHost(nodeMachine(machine));
  const { drives } = await askMachine(host);
  // Nothing was done but asking: the rehearsal touches nothing.
  expect(
    host.effects.filter(
      (effect) => !/^run (?:lshw|lsblk|smartctl|wipefs --json --no-act|sfdisk --json|lvm fullreport --readonly) /.test(effect),
    ),
  ).toEqual([]);
  if ("problem" in drives) throw new Error(drives.problem.what);
  return planDisks(drives.value, token);
}

/** The plan in short: each drive with what is done with it, and what is on those that might be taken. */
function inShort({ drives }: DiskPlan): readonly string[] {
  return drives.flatMap(({ device, takenAs, leftBecause, lost }) => [
    `${device.path}: ${takenAs ?? leftBecause}`,
    ...lost.map(({ path, holds }) => `- ${path.replace("/dev/", "")}: ${holds}`),
  ]);
}

const codes = (problems: DiskPlan["mistakes"]): readonly string[] => problems.map(({ code }) => code);
const part = (name: string, others: Readonly<Record<string, unknown>> = {}): DiskOfTest => ({ name, type: "part", size: GIB, ...others });
const mapped = (name: string, ...children: readonly DiskOfTest[]): DiskOfTest => ({
  ...{ name: `dm-${name}`, path: `/dev/mapper/${name}`, type: "lvm", size: GIB, children },
});

const HOST_VOLUMES = ["config", "A_boot", "A_root", "A_var", "B_boot", "B_root", "B_var", "guestos"];
const host = (own: string, ...others: readonly string[]): GroupOfTest => ({
  ...{ name: "hostlvm", uuid: "group", changes: 7, own, others, volumes: HOST_VOLUMES },
});
/** A host's disk, and a data drive of it. */
const NODE: Partial<NodeMachine> = {
  disks: [
    STICK,
    nvme(0, {
      children: [
        part("nvme0n1p1", { partuuid: "f46600e3-d0e6-4258-9607-e64b13cf7595", partlabel: "esp" }),
        part("nvme0n1p2", { partuuid: "1a7c28b7-efe0-4f17-9230-678cf2df8db2", partlabel: "grub" }),
        part("nvme0n1p3", { partuuid: "735a766a-2047-45c2-ab48-d5ec948de550", partlabel: "hostlvm" }),
      ],
    }),
    nvme(1),
  ],
  signatures: {
    "/dev/nvme0n1": [
      ["gpt", 0x200],
      ["gpt", 6_401_252_744_704],
      ["PMBR", 0x1fe],
    ],
    "/dev/nvme0n1p1": [["vfat", 0x36]],
    "/dev/nvme0n1p2": [["vfat", 0x36]],
    "/dev/nvme0n1p3": [["LVM2_member", 0x218, "pv0"]],
    "/dev/nvme1n1": [["LVM2_member", 0x218, "pv1"]],
  },
  groups: { "/dev/nvme0n1p3": host("pv0", "pv1"), "/dev/nvme1n1": host("pv1", "pv0") },
};

test("each drive is taken or left, with the reason; the first by name is the system drive", async () => {
  const plan = await planOn({
    disks: [
      STICK,
      nvme(0, { size: 0, model: "AMI Virtual HDisk0", tran: "usb" }),
      nvme(1),
      nvme(10),
      nvme(2, { ro: true }),
      nvme(3, { size: 960_197_124_096 }),
      nvme(4, { rm: true }),
      { ...nvme(5), name: "sdb", tran: "usb", size: 2_000_398_934_016 },
      { name: "sr0", type: "rom", size: 0, "maj:min": "11:0" },
      { name: "loop0", type: "loop", size: 5_000_000_000_000 },
      { name: "zram0", type: "disk", size: 2 ** 41 },
    ],
  });
  expect(inShort(plan)).toEqual([
    "/dev/loop0: it is no drive: loop",
    "/dev/nvme0n1: it has no size: no medium is in it",
    "/dev/nvme10n1: system drive",
    "/dev/nvme1n1: data drive",
    "/dev/nvme2n1: it cannot be written to",
    "/dev/nvme3n1: it is smaller than 1 TiB",
    "/dev/nvme4n1: its medium can be removed",
    "/dev/sda: this system runs from it: / is on it",
    "/dev/sdb: it is connected by USB",
    "/dev/zram0: it is no drive: memory",
  ]);
  expect(codes([...plan.mistakes, ...plan.warnings, ...plan.unknown])).toEqual([]);
});

test("the system's own disk is told by what is mounted, by number and name, and not by what its partitions are called", async () => {
  // An SSD at a SATA port as the stick, which sorts first and is large. The other one has the same PARTUUIDs.
  const same = { partuuid: "b78084e2-3363-1346-8c25-d426f26b8928", partlabel: "esp" };
  const disks = [
    {
      ...nvme(0),
      name: "sda",
      tran: "sata",
      "maj:min": "8:0",
      children: [part("sda1", { ...same, "maj:min": "8:1" }), part("sda6", { "maj:min": "8:6" })],
    },
    { ...nvme(1), name: "sdb", tran: "sata", "maj:min": "8:16", children: [part("sdb1", { ...same, "maj:min": "8:17" })] },
  ];
  expect(inShort(await planOn({ disks, mounts: [["8:6", "/"]] }))).toEqual([
    "/dev/sda: this system runs from it: / is on it",
    "/dev/sdb: system drive",
  ]);
  // Below two more layers, which the mount alone names.
  const deep = [
    { ...disks[0], name: "sda", children: [part("sda6", { children: [mapped("live", mapped("root"))] })] },
    { ...disks[1], name: "sdb" },
  ];
  const lowest = deep.map(
    (disk) => JSON.parse(JSON.stringify(disk).replace('"name":"dm-root"', '"name":"dm-root","maj:min":"254:1"')) as DiskOfTest,
  );
  expect(inShort(await planOn({ disks: lowest, mounts: [["254:1", "/"]] }))[0]).toBe("/dev/sda: this system runs from it: / is on it");
});

test("vda comes first", async () => {
  const disks = [
    { ...nvme(1), name: "sda" },
    { ...nvme(2), name: "vda" },
  ];
  expect(inShort(await planOn({ disks, mounts: [] }))).toEqual(["/dev/sda: data drive", "/dev/vda: system drive"]);
});

/** What is left of old systems, whatever nests in what. All of it is taken away, and each layer is named. */
const old: readonly (readonly [what: string, machine: Partial<NodeMachine>, lost: readonly string[]])[] = [
  ["nothing", { disks: [nvme(0)] }, []],
  [
    "LVM in a volume in LVM, of another name",
    {
      disks: [nvme(0, { children: [mapped("vg-data", mapped("inner-root"))] })],
      signatures: {
        "/dev/nvme0n1": [["LVM2_member", 0x218]],
        "/dev/mapper/vg-data": [["LVM2_member", 0x218]],
        "/dev/mapper/inner-root": [["ext4", 0x438]],
      },
      groups: {
        "/dev/nvme0n1": { ...host("a"), name: "vg", volumes: ["data"] },
        "/dev/mapper/vg-data": { ...host("b"), name: "inner", volumes: ["root"] },
      },
    },
    ["- nvme0n1: physical volume of vg, with data", "- mapper/vg-data: physical volume of inner, with root", "- mapper/inner-root: ext4"],
  ],
  [
    "a partition table in a volume",
    {
      disks: [nvme(0, { children: [mapped("vg-guest")] })],
      signatures: {
        "/dev/nvme0n1": [["LVM2_member", 0x218]],
        "/dev/mapper/vg-guest": [
          ["gpt", 0x200],
          ["gpt", 0x9000],
          ["PMBR", 0x1fe],
        ],
      },
      groups: { "/dev/nvme0n1": { ...host("a"), name: "vg", volumes: [] } },
    },
    ["- nvme0n1: physical volume of vg", "- mapper/vg-guest: partition table (gpt)"],
  ],
  [
    "an array, with LVM on it and btrfs on that",
    {
      disks: [nvme(0, { children: [{ ...mapped("x"), name: "md127", path: "/dev/md127", type: "raid1", children: [mapped("old-srv")] }] })],
      signatures: {
        "/dev/nvme0n1": [["linux_raid_member", 0x1000]],
        "/dev/md127": [["LVM2_member", 0x218]],
        "/dev/mapper/old-srv": [["btrfs", 0x10040]],
      },
      groups: { "/dev/md127": undefined },
    },
    ["- nvme0n1: part of an array (md)", "- md127: physical volume of no group", "- mapper/old-srv: btrfs"],
  ],
  [
    "a member that was detached, with ext4 seen through it",
    {
      disks: [nvme(0)],
      signatures: {
        "/dev/nvme0n1": [
          ["linux_raid_member", 6_401_252_679_680],
          ["ext4", 0x438],
        ],
      },
    },
    ["- nvme0n1: part of an array (md), ext4"],
  ],
  [
    "a label of ZFS at the end of a partition alone",
    {
      disks: [nvme(0, { children: [part("nvme0n1p1", { partlabel: "zfs-0123" })] })],
      signatures: {
        "/dev/nvme0n1": [
          ["gpt", 0x200],
          ["gpt", 0x5_d0_00],
          ["PMBR", 0x1fe],
        ],
        "/dev/nvme0n1p1": [
          ["zfs_member", 0x3f_c0_00],
          ["zfs_member", 0x3f_bc_00],
        ],
      },
    },
    ["- nvme0n1: partition table (gpt)", '- nvme0n1p1: part of a pool (zfs), called "zfs-0123"'],
  ],
  [
    "a table with a bad checksum, and nothing in its copy",
    {
      disks: [nvme(0)],
      signatures: {
        "/dev/nvme0n1": [
          ["gpt", 6_401_252_744_704],
          ["PMBR", 0x1fe],
        ],
      },
    },
    ["- nvme0n1: partition table (gpt), one copy alone"],
  ],
  ["LUKS, closed", { disks: [nvme(0)], signatures: { "/dev/nvme0n1": [["crypto_LUKS", 0]] } }, ["- nvme0n1: encrypted (LUKS)"]],
  ["a store of ceph", { disks: [nvme(0)], signatures: { "/dev/nvme0n1": [["ceph_bluestore", 0]] } }, ["- nvme0n1: part of a store (ceph)"]],
  [
    "what no one has heard of",
    { disks: [nvme(0)], signatures: { "/dev/nvme0n1": [["VMFS_volume_member", 0x100000]] } },
    ["- nvme0n1: VMFS_volume_member"],
  ],
];

test.each(old)("%s is taken, and named", async (_, machine, lost) => {
  const plan = await planOn({ mounts: [], ...machine });
  expect(inShort(plan)).toEqual(["/dev/nvme0n1: system drive", ...lost]);
  expect([codes(plan.mistakes), codes(plan.unknown), plan.token]).toEqual([[], [], undefined]);
});

test("a node is kept: all of it is named, and with it the token that would replace it", async () => {
  const plan = await planOn(NODE);
  expect(inShort(plan)).toEqual([
    "/dev/nvme0n1: a node is on it",
    "- nvme0n1: partition table (gpt)",
    '- nvme0n1p1: vfat, called "esp"',
    '- nvme0n1p2: vfat, called "grub"',
    `- nvme0n1p3: physical volume of hostlvm, with ${HOST_VOLUMES.join(", ")}, called "hostlvm"`,
    "/dev/nvme1n1: a node is on it",
    `- nvme1n1: physical volume of hostlvm, with ${HOST_VOLUMES.join(", ")}`,
    "/dev/sda: this system runs from it: / is on it",
  ]);
  expect(plan.token).toMatch(/^[\dA-HJKMNP-TV-Z]{4}-[\dA-HJKMNP-TV-Z]{4}$/);
  expect(plan.mistakes).toEqual([
    {
      code: "node-installed",
      what: "a node is installed on these drives",
      found: "a whole node on /dev/nvme0n1, /dev/nvme1n1",
      expected: "drives without a node",
      todo: expect.stringContaining(
        `pull the stick: nothing is to be done. To replace it, and lose all of it: --replace ${plan.token}, or`,
      ) as string,
    },
  ]);
});

test("with its token it is taken, once: the same drives with another node on them have another one", async () => {
  const { token = "" } = await planOn(NODE);
  const allowed = await planOn(NODE, token);
  expect([codes(allowed.mistakes), codes(allowed.warnings)]).toEqual([[], ["node-replaced"]]);
  expect(inShort(allowed).filter((line) => line.startsWith("/dev/"))).toEqual([
    "/dev/nvme0n1: system drive",
    "/dev/nvme1n1: data drive",
    "/dev/sda: this system runs from it: / is on it",
  ]);
  const again: readonly Partial<NodeMachine>[] = [
    // Installed again: LVM has taken the data drive in under another UUID.
    { ...NODE, groups: { "/dev/nvme0n1p3": host("pv0", "pv2"), "/dev/nvme1n1": host("pv2", "pv0") } },
    // The group has changed.
    { ...NODE, groups: { "/dev/nvme0n1p3": { ...host("pv0", "pv1"), changes: 8 }, "/dev/nvme1n1": host("pv1", "pv0") } },
    // Another drive, which is a copy of the first.
    {
      ...NODE,
      disks: NODE.disks?.map((disk) => (disk.name === "nvme0n1" ? { ...disk, serial: "S6EWNA0R999", wwn: "eui.9" } : disk)) ?? [],
    },
  ];
  for (const machine of again) {
    const plan = await planOn(machine, token);
    expect(codes(plan.mistakes)).toEqual(["node-installed", "replace-token-other"]);
    expect(inShort(plan)[0]).toBe("/dev/nvme0n1: a node is on it");
  }
});

test("the token of a node does not depend on whether its volumes are active", async () => {
  const { token = "" } = await planOn(NODE);
  const [stick, system, data] = NODE.disks ?? [];
  const children = (system?.["children"] ?? []) as readonly DiskOfTest[];
  const active = children.map((child) => (child.name === "nvme0n1p3" ? { ...child, children: [mapped("hostlvm-B_root")] } : child));
  // A slot that was never used has no file system; what was there before it is.
  const machine = {
    ...NODE,
    disks: [stick, { ...system, children: active }, data] as NodeMachine["disks"],
    filled: ["/dev/mapper/hostlvm-B_root"],
  };
  expect(codes((await planOn(machine)).mistakes)).toEqual(["node-installed", "disk-data-strange"]);
  expect((await planOn(machine)).token).toBe(token);
});

test("a token is bound to data of a kind that is not known by what it is, and not by its size alone", async () => {
  const tokens = [7, 8].map(async (content) => {
    const machine = nodeMachine({ disks: [STICK, nvme(0)], filled: ["/dev/nvme0n1"] });
    const host = nodeHost(machine);
    const filled = { ...host, readAt: async (_: string, __: number, length: number) => new Uint8Array(length).fill(content) };
    const { drives } = await askMachine(filled);
    return "value" in drives ? planDisks(drives.value, undefined).token : undefined;
  });
  const [one, other] = await Promise.all(tokens);
  expect(one).toMatch(/^[\dA-Z]{4}-[\dA-Z]{4}$/);
  expect(other).not.toBe(one);
});

test("a token without a node is told: it may be of another machine", async () => {
  const plan = await planOn({}, "7KQ2-M9XD");
  expect([codes(plan.mistakes), codes(plan.warnings)]).toEqual([[], ["replace-token-not-needed"]]);
});

test.each([
  [
    "its data drive alone",
    { disks: [nvme(1)], groups: { "/dev/nvme1n1": host("pv1", "pv0") } },
    "1 of the drives of its group, no boot partitions",
  ],
  ["its boot partitions alone", { disks: [NODE.disks?.[1] ?? nvme(0)], signatures: {} }, "no volume group hostlvm"],
  [
    "a volume is gone",
    {
      groups: {
        "/dev/nvme0n1p3": { ...host("pv0", "pv1"), volumes: HOST_VOLUMES.slice(1, 7) },
        "/dev/nvme1n1": { ...host("pv1", "pv0"), volumes: [] },
      },
    },
    "no volume config, no volume guestos",
  ],
] as const)("what is left of a node is kept, too: %s", async (_, machine, missing) => {
  const plan = await planOn({ ...NODE, mounts: [], ...machine });
  expect(codes(plan.mistakes)).toEqual(["node-installed"]);
  expect(plan.mistakes[0]?.found).toContain(`a node with parts missing (${missing}) on /dev/nvme`);
});

test("what is not known is not empty: a drive is kept, and no token serves", async () => {
  const { token = "" } = await planOn(NODE);
  const broken: readonly Partial<NodeMachine>[] = [
    { ...NODE, broken: ["/dev/nvme0n1p2"] },
    // A label of LVM that LVM does not read.
    { ...NODE, groups: { "/dev/nvme1n1": host("pv1", "pv0") } },
    { disks: [nvme(0), nvme(1)], broken: ["/dev/nvme0n1"], mounts: [] },
  ];
  for (const machine of broken) {
    const plan = await planOn(machine, token);
    expect(codes(plan.unknown)).toEqual(["disk-content-not-known"]);
    expect(inShort(plan)[0]).toBe("/dev/nvme0n1: it is not known what is on it");
    expect(plan.token).toBeUndefined();
  }
});

test("data without a signature is not empty: it is kept until the token is given", async () => {
  const machine: Partial<NodeMachine> = { disks: [nvme(0), nvme(1)], filled: ["/dev/nvme1n1"], mounts: [] };
  const plan = await planOn(machine);
  expect(inShort(plan)).toEqual([
    "/dev/nvme0n1: system drive",
    "/dev/nvme1n1: data of a kind that is not known is on it",
    "- nvme1n1: data of a kind that is not known",
  ]);
  expect(codes(plan.mistakes)).toEqual(["disk-data-strange"]);
  expect(codes((await planOn(machine, plan.token)).mistakes)).toEqual([]);
});

test.each([
  ["the table of a node, whose first copy is damaged", ["f46600e3-d0e6-4258-9607-e64b13cf7595"], "node-installed"],
  ["the table of something else, likewise", ["0fc63daf-8483-4772-8e79-3d69d8477de4"], "disk-data-strange"],
  ["a protective table alone: what it protected may still be there", undefined, "disk-data-strange"],
])("%s: the kernel sees no partitions, and the drive is kept", async (_, uuids, code) => {
  const plan = await planOn({
    ...{ disks: [nvme(0)], mounts: [] },
    signatures: {
      "/dev/nvme0n1":
        uuids === undefined
          ? [["PMBR", 0x1fe]]
          : [
              ["gpt", 6_401_252_744_704],
              ["PMBR", 0x1fe],
            ],
    },
    tables: uuids === undefined ? {} : { "/dev/nvme0n1": uuids },
  });
  expect(codes(plan.mistakes)).toContain(code);
  expect(plan.drives.map(({ takenAs }) => takenAs)).toEqual([undefined]);
});

test.each([
  [
    "a node on a small drive, which is left",
    {
      ...NODE,
      disks: [nvme(1), { ...NODE.disks?.[1], name: "nvme0n1", size: 240 * GIB }],
      groups: { "/dev/nvme0n1p3": host("pv0") },
      signatures: { "/dev/nvme0n1p3": [["LVM2_member", 0x218]] },
    },
    "node-elsewhere",
  ],
  ["one drive that is reached by two ways", { disks: [nvme(0), nvme(1, { serial: "S6EWNA0R100", wwn: "eui.36340" })] }, "disks-same"],
  [
    "a drive that a desktop has mounted",
    { disks: [nvme(0, { children: [part("nvme0n1p1", { mountpoints: ["/media/me/data"] })] })] },
    "disk-mounted",
  ],
] as const)("%s is in the way", async (_, machine, code) => {
  const plan = await planOn({ mounts: [], ...machine });
  expect(codes(plan.mistakes)).toEqual([code]);
});

test("a drive that is left and cannot be read is told: it may hold a node", async () => {
  const plan = await planOn({ disks: [nvme(0), nvme(1, { size: 240 * GIB })], broken: ["/dev/nvme1n1"], mounts: [] });
  expect([codes(plan.mistakes), codes(plan.unknown), codes(plan.warnings)]).toEqual([[], [], ["disk-content-not-known"]]);
});

test("an array that is open on a drive that is taken and on one that is left: nothing is taken, for to wipe it would write to both", async () => {
  const array: DiskOfTest = { ...mapped("x"), name: "md127", path: "/dev/md127", type: "raid1" };
  const small: DiskOfTest = { name: "sdb", type: "disk", size: 500 * GIB, tran: "sata", "maj:min": "8:16", serial: "S2" };
  const on = async (children: readonly DiskOfTest[]): Promise<DiskPlan> =>
    planOn({
      disks: [STICK, nvme(0, { children: [array] }), { ...small, children }],
      signatures: { "/dev/nvme0n1": [["linux_raid_member", 0x1000]], "/dev/sdb": [["linux_raid_member", 0x1000]] },
    });
  expect((await on([array])).mistakes).toMatchObject([
    { code: "disk-shares-layer", what: "/dev/md127 lies on /dev/nvme0n1, which would be taken, and on /dev/sdb, which is left" },
  ]);
  expect((await on([])).mistakes).toEqual([]);
});
