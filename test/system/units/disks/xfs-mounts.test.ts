import { execFileSync } from "node:child_process";
import { closeSync, copyFileSync, mkdirSync, openSync, readdirSync, readFileSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { mountAt } from "../../../../src/system/disks/mounts.ts";
import { ProblemError } from "../../../../src/base/problem.ts";
import { type CheckedMount, mountActions } from "../../../../src/units/disks/checked-mounts.ts";
import { type NamespaceMachine, namespaceMachine } from "../../../support/namespace-machine.ts";

/**
 * What the kernel answers to a mount decides what is done, on a real XFS. Errors: fs/xfs/xfs_mount.c and xfs_log_recover.c, where EFSCORRUPTED
 * is EUCLEAN; xfs_repair(8): status 2 for a dirty log, and -L "can cause the loss of user files and/or data".
 */

const run = (program: string, ...args: readonly string[]): string => execFileSync(program, args, { encoding: "utf8", stdio: "pipe" });
const SYNCED = ["1", "2", "3", "4", "5", "6"];
const loops: string[] = [];
const mounted: string[] = [];

afterEach(() => {
  for (const folder of mounted.splice(0)) run("umount", folder);
  for (const device of loops.splice(0)) run("losetup", "--detach", device);
});

function loop(image: string): string {
  const device = run("losetup", "--find", "--show", image).trim();
  loops.push(device);
  return device;
}

interface Xfs {
  readonly image: string;
  readonly wanted: CheckedMount;
  /** Places of log records, in bytes. */
  readonly records: readonly number[];
}

/** A file system whose machine lost power: six files were synced, and are in the log alone. */
function withUnreplayedLog({ at }: NamespaceMachine): Xfs {
  const [image, mountPoint] = [at("/xfs.img"), at("/data of the node")];
  writeFileSync(image, "");
  truncateSync(image, 320 * 1024 * 1024);
  run("mkfs.xfs", "-q", image);
  mkdirSync(mountPoint);
  run("mount", "-o", "loop", image, mountPoint);
  for (const name of SYNCED) {
    writeFileSync(`${mountPoint}/${name}`, name);
    // Many records: one that is wrong among the last eight counts as torn by the power cut, and the log as ending before it (xlog_verify_head).
    const grow = Array.from({ length: 4 }, (_, index) => ["-c", `pwrite ${index * 8192} 1`, "-c", "fsync"]).flat();
    run("xfs_io", ...grow, `${mountPoint}/${name}`);
  }
  run("xfs_io", "-x", "-c", "shutdown", mountPoint);
  run("umount", mountPoint);
  // "logstart = 65542", and of a block "0x50030 (327728)".
  const [block = ""] = /\d+/.exec(run("xfs_db", "-r", "-c", "sb 0", "-c", "print logstart", image)) ?? [];
  const sector = /\((\d+)\)/.exec(run("xfs_db", "-r", "-c", `convert fsblock ${block} daddr`, image))?.[1];
  const log = Number(sector) * 512;
  const bytes = readFileSync(image).subarray(log, log + 1024 * 1024);
  // XLOG_HEADER_MAGIC_NUM (fs/xfs/libxfs/xfs_log_format.h).
  const isRecord = (offset: number): boolean => bytes.readUInt32BE(offset) === 0xfeedbabe;
  const records = Array.from({ length: bytes.length / 512 }, (_, index) => index * 512)
    .filter(isRecord)
    .map((offset) => log + offset);
  const repaired = "data was damaged and has been repaired";
  const wanted: CheckedMount = { source: loop(image), mountPoint, fileSystem: "xfs", options: ["nodev"], place: "data", repaired };
  return { image, wanted, records };
}

/** Into the device, for what is mounted by it. */
function put({ wanted }: Xfs, bytes: Buffer, offset: number): void {
  const file = openSync(wanted.source, "r+");
  writeSync(file, bytes, 0, bytes.length, offset);
  closeSync(file);
  run("sync", wanted.source);
}

/** h_version of a record: the kernel knows none above 2 ("unrecognised log version", EUCLEAN), and gets no further. */
const damageLog = (xfs: Xfs): void => put(xfs, Buffer.from([0, 0, 0, 99]), (xfs.records[2] ?? Number.NaN) + 8);
/** A byte of sb_fname, which the checksum covers. */
const damageSuperblock = (xfs: Xfs): void => put(xfs, Buffer.from([1]), 108);

async function mountNow(machine: NamespaceMachine, { wanted }: Xfs): Promise<void> {
  for (const action of mountActions(machine, "unit", [wanted])) await action.run();
  mounted.push(wanted.mountPoint);
}

async function refusal(machine: NamespaceMachine, xfs: Xfs): Promise<ProblemError> {
  const before = readFileSync(xfs.image);
  const error: unknown = await mountNow(machine, xfs).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ProblemError)) throw new Error(`not refused: ${String(error)}`);
  expect(readFileSync(xfs.image).equals(before), "not a byte is written").toBe(true);
  expect(machine.tools.filter(({ program }) => program === "xfs_repair")).toEqual([]);
  expect(machine.notes).toEqual([]);
  expect(error.problem.what).toBe(
    `the kernel does not mount data (${xfs.wanted.source}) at ${xfs.wanted.mountPoint}; it was not repaired, because nothing shows that it is damaged`,
  );
  expect(await mountAt(machine.host, xfs.wanted.mountPoint)).toBeUndefined();
  return error;
}

const repairs = ({ tools }: NamespaceMachine): readonly string[] =>
  tools.filter(({ program }) => program === "xfs_repair").map(({ args }) => args.slice(0, -1).join(" "));

const files = ({ wanted }: Xfs): readonly string[] => readdirSync(wanted.mountPoint);

test("a log that was not replayed is replayed by the mount, and nothing is repaired", async () => {
  const machine = namespaceMachine({});
  const xfs = withUnreplayedLog(machine);
  await mountNow(machine, xfs);
  expect(files(xfs)).toEqual(SYNCED);
  expect(repairs(machine)).toEqual([]);
  expect(machine.notes).toEqual([]);
});

test("while a copy of it is mounted it is a conflict, in the kernel's words, and what is in the log alone is kept", async () => {
  const machine = namespaceMachine({});
  const xfs = withUnreplayedLog(machine);
  const [copy, elsewhere] = [machine.at("/copy.img"), machine.at("/elsewhere")];
  copyFileSync(xfs.image, copy);
  mkdirSync(elsewhere);
  run("mount", loop(copy), elsewhere);
  const { problem, retryable } = await refusal(machine, xfs);
  expect(problem.found).toContain("has duplicate UUID");
  expect(retryable).toBe(false);
  run("umount", elsewhere);
  await mountNow(machine, xfs);
  expect(files(xfs)).toEqual(SYNCED);
});

test("one that a newer system made is a conflict", async () => {
  const machine = namespaceMachine({});
  const xfs = withUnreplayedLog(machine);
  run("xfs_repair", "-L", xfs.wanted.source);
  // xfs_db writes the checksum that belongs to it. A feature of 2^30, which no kernel knows: sb_features_incompat.
  run("xfs_db", "-x", "-c", "sb 0", "-c", "write -d features_incompat 0x40000003", xfs.wanted.source);
  const { problem, retryable } = await refusal(machine, xfs);
  expect(problem.found).toMatch(/unknown incompatible features/);
  expect(retryable).toBe(false);
});

test("EIO is tried again, and never repaired", async () => {
  const machine = namespaceMachine({});
  const xfs = withUnreplayedLog(machine);
  // "empty log check failed": XFS says EIO of this one, as of a disk that does not answer.
  put(xfs, Buffer.alloc(64 * 1024, 0xa5), (xfs.records[0] ?? Number.NaN) - 1024);
  const { problem, retryable } = await refusal(machine, xfs);
  expect(problem.found).toContain("can't read superblock");
  expect(retryable).toBe(true);
});

test("EUCLEAN of another cause than the log: it is repaired, and the log is kept and replayed", async () => {
  const machine = namespaceMachine({});
  const xfs = withUnreplayedLog(machine);
  damageSuperblock(xfs);
  await mountNow(machine, xfs);
  expect(repairs(machine)).toEqual([""]);
  expect(files(xfs)).toEqual(SYNCED);
  expect(machine.notes).toEqual(["data was damaged and has been repaired"]);
});

test("a log that the kernel has refused twice is thrown away, and that is said before it is done", async () => {
  const machine = namespaceMachine({});
  const xfs = withUnreplayedLog(machine);
  damageLog(xfs);
  let said: readonly string[] = [];
  const { host } = machine;
  const watched = machine.over({
    ...host,
    run: async (command) => {
      if (command.args.includes("-L")) said = [...machine.notes];
      return host.run(command);
    },
  });
  await mountNow({ ...watched, note: machine.note }, xfs);
  expect(machine.tools.map(({ program, args }) => (program === "xfs_repair" ? `${program} ${args[0]}` : program))).toEqual([
    ...["mount", "dmesg", "mount", `xfs_repair ${xfs.wanted.source}`, "mount", "dmesg", "xfs_repair -L", "mount"],
  ]);
  expect(said).toEqual([
    expect.stringMatching(/^the log of data cannot be replayed \(.*unrecognised log version.*\): it will be discarded/),
  ]);
  expect(machine.notes).toEqual([...said, "data was damaged and has been repaired"]);
});

test("a repair that fails is not said to have succeeded", async () => {
  const machine = namespaceMachine({});
  const xfs = withUnreplayedLog(machine);
  damageSuperblock(xfs);
  const { host } = machine;
  const failing = machine.over({
    ...host,
    run: async (command) => host.run(command.program === "xfs_repair" ? { ...command, args: ["-o", "no-such-option"] } : command),
  });
  await expect(mountNow({ ...failing, note: machine.note }, xfs)).rejects.toThrow(/^xfs_repair -o no-such-option: failed/);
  expect(machine.notes).toEqual([]);
});
