import { expect, test } from "vitest";
import { emptyDrive, isEmptyDrive } from "../../../src/setupos/empty-drive.ts";
import { RECORD_OFFSET, writeInstallRecord, readInstallRecord } from "../../../src/setupos/install-record.ts";
import { commandText, type Command, CommandError } from "../../../src/system/command.ts";
import type { Host } from "../../../src/system/host.ts";
import { fakeHost } from "../../support/fake-host.ts";

interface Layer {
  readonly path: string;
  readonly type: string;
  children: Layer[];
  signatures: string[];
}

const layer = (path: string, type: string, signature: string, ...children: Layer[]): Layer => ({
  path,
  type,
  children,
  signatures: [signature],
});
const BYTES = 2 ** 40;

/**
 * A machine whose layers are what tools make of them: a volume is gone when it is removed, an array when it is stopped, partitions when the
 * table is wiped and read again.
 *
 * @param held a path that the tools cannot close
 * @param stubborn a signature that comes back after each wipe
 */
function machineWith(drive: Layer, { held, stubborn = false }: { readonly held?: string; readonly stubborn?: boolean } = {}) {
  const done: string[] = [];
  const written: { readonly path: string; readonly offset: number; readonly content: Buffer }[] = [];
  const all = (one: Layer): readonly Layer[] => [one, ...one.children.flatMap(all)];
  const at = (path: string): Layer | undefined => all(drive).find((one) => one.path === path);
  const drop = (path: string): void => {
    for (const one of all(drive)) one.children = one.children.filter((child) => child.path !== path);
  };
  const shown = (one: Layer): object => ({
    ...{ kname: one.type === "lvm" ? `dm-${one.path.length}` : one.path.slice(5), path: one.path, "maj:min": "8:0", type: one.type },
    ...{ size: BYTES, ro: false, rm: false, "log-sec": 512, children: one.children.map(shown) },
  });
  const run = (command: Command): string => {
    const { program, args } = command;
    const path = args.at(-1) ?? "";
    const fails = (): never => {
      throw new CommandError(command, { kind: "exited", status: 1 }, "Device or resource busy");
    };
    switch (program) {
      case "lsblk":
        return JSON.stringify({ blockdevices: [shown(drive)] });
      case "wipefs": {
        const found = at(path);
        if (args.includes("--no-act"))
          return JSON.stringify({ signatures: (found?.signatures ?? []).map((type) => ({ type, offset: "0x200", uuid: null })) });
        done.push(`wipe ${path}`);
        if (found !== undefined && !stubborn) found.signatures = [];
        return "";
      }
      case "dmsetup":
      case "mdadm":
        if (path === held) fails();
        done.push(`close ${path}`);
        drop(path);
        return "";
      case "blockdev":
        if (drive.signatures.length === 0) drive.children = drive.children.filter(({ children }) => children.length > 0);
        return "";
      default:
        throw new Error(`the test did not plan ${commandText(command)}`);
    }
  };
  const host: Host = {
    ...fakeHost(),
    run: async (command) => ({ status: 0, stdout: run(command), stderr: "" }),
    stat: async (path) => (at(path) === undefined ? undefined : { kind: "block-device", mode: 0o660, uid: 0, gid: 0, size: 0 }),
    // Full of something, but for what was written.
    readAt: async (device, offset, length) => {
      const bytes = Buffer.alloc(length, 7);
      for (const piece of written.filter(({ path }) => path === device)) {
        const from = Math.max(offset, piece.offset);
        const to = Math.min(offset + length, piece.offset + piece.content.length);
        if (to > from) piece.content.copy(bytes, from - offset, from - piece.offset, to - piece.offset);
      }
      return bytes;
    },
    writeInPlace: async (path, content, offset) => {
      written.push({ path, offset: offset ?? 0, content: Buffer.from(content) });
    },
  };
  return { host, done, written };
}

const nested = (): Layer =>
  layer(
    "/dev/vda",
    "disk",
    "gpt",
    layer(
      "/dev/vda1",
      "part",
      "LVM2_member",
      layer("/dev/mapper/old-guest", "lvm", "LVM2_member", layer("/dev/mapper/inner-deep", "lvm", "ext4")),
    ),
    layer("/dev/vda2", "part", "linux_raid_member", layer("/dev/md127", "raid1", "xfs")),
  );

test("what nests is wiped while it is open, and closed, from the top down; the table is the last", async () => {
  const { host, done } = machineWith(nested());
  await emptyDrive(host, "/dev/vda", "the record");
  expect(done).toEqual([
    ...["wipe /dev/mapper/inner-deep", "close /dev/mapper/inner-deep", "wipe /dev/mapper/old-guest", "close /dev/mapper/old-guest"],
    ...["wipe /dev/vda1", "wipe /dev/md127", "close /dev/md127", "wipe /dev/vda2", "wipe /dev/vda"],
  ]);
  expect(await isEmptyDrive(host, "/dev/vda", "the record")).toBe(true);
});

test.each([
  ["btrfs's second superblock", 2 ** 26],
  ["btrfs's third superblock", 2 ** 38],
  ["ceph's label at 1 GiB", 2 ** 30],
  ["ceph's label at 100 GiB", 100 * 2 ** 30],
  ["ceph's label at 1 GB", 10 ** 9],
  ["ceph's label at 1000 GB", 10 ** 12],
])("a copy of a label far from both ends, %s, is zeroed on the drive and on each layer of it", async (_, offset) => {
  const { host, written } = machineWith(nested());
  expect(await isEmptyDrive(host, "/dev/vda", "the record")).toBe(false);
  await emptyDrive(host, "/dev/vda", "the record");
  const zeroed = written.filter((piece) => piece.offset === offset);
  for (const path of ["/dev/vda", "/dev/vda1", "/dev/vda2", "/dev/md127", "/dev/mapper/old-guest"])
    expect(zeroed.find((piece) => piece.path === path)?.content).toEqual(Buffer.alloc(64 * 1024));
});

test("a drive with nothing but a copy of a label far from both ends is not empty", async () => {
  const { host } = machineWith(nested());
  await emptyDrive(host, "/dev/vda", "the record");
  await host.writeInPlace("/dev/vda", "bluestore block device", 10 * 10 ** 9);
  expect(await isEmptyDrive(host, "/dev/vda", "the record")).toBe(false);
});

test("a volume on two drives is closed once", async () => {
  const shared = layer("/dev/mapper/vg-both", "lvm", "ext4");
  const drive = layer(
    "/dev/vda",
    "disk",
    "gpt",
    layer("/dev/vda1", "part", "LVM2_member", shared),
    layer("/dev/vda2", "part", "LVM2_member", shared),
  );
  const { host, done } = machineWith(drive);
  await emptyDrive(host, "/dev/vda", "the record");
  expect(done.filter((one) => one.includes("vg-both"))).toEqual(["wipe /dev/mapper/vg-both", "close /dev/mapper/vg-both"]);
});

test("the record of the installation stays", async () => {
  const { host } = machineWith(nested());
  const record = { version: 1, phase: "begun", input: "a".repeat(32), drives: "b".repeat(32) } as const;
  await writeInstallRecord(host, "/dev/vda", record);
  await emptyDrive(host, "/dev/vda", "the record");
  expect(await readInstallRecord(host, "/dev/vda")).toEqual(record);
  expect(RECORD_OFFSET).toBeLessThan(1024 * 1024);
});

test("the record of an earlier installation is taken away from a drive that is no system drive", async () => {
  const { host } = machineWith(nested());
  await writeInstallRecord(host, "/dev/vda", { version: 1, phase: "complete", input: "a".repeat(32), drives: "b".repeat(32) });
  await emptyDrive(host, "/dev/vda", "nothing");
  expect(await readInstallRecord(host, "/dev/vda")).toBeUndefined();
  expect(await isEmptyDrive(host, "/dev/vda", "nothing")).toBe(true);
});

test("what is held by someone ends with the tool's words", async () => {
  const { host } = machineWith(nested(), { held: "/dev/md127" });
  await expect(emptyDrive(host, "/dev/vda", "the record")).rejects.toThrow(/mdadm --stop .*busy/);
});

test("what comes back after three rounds is named", async () => {
  const { host, done } = machineWith(layer("/dev/vda", "disk", "zfs_member"), { stubborn: true });
  await expect(emptyDrive(host, "/dev/vda", "the record")).rejects.toThrow(/cannot be taken away: found zfs_member at byte 512/);
  expect(done).toHaveLength(3);
});

test("a drive that is gone is an error, and not an empty one", async () => {
  const { host } = machineWith(nested());
  await expect(emptyDrive(host, "/dev/vdz", "nothing")).rejects.toThrow(/there is no drive/);
});
