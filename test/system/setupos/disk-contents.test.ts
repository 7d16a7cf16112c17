import { spawnSync } from "node:child_process";
import { closeSync, fsyncSync, ftruncateSync, openSync, statSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { inspectDevice } from "../../../src/setupos/disk-contents.ts";
import { planDisks } from "../../../src/setupos/disk-plan.ts";
import { blockDevices } from "../../../src/system/disks/lsblk.ts";
import { systemHost } from "../../../src/system/host.ts";
import { namespaceRoot } from "../../support/namespace.ts";

const folder = namespaceRoot();
const host = systemHost();
const loops: string[] = [];
afterAll(() => loops.forEach((loop) => void spawnSync("losetup", ["--detach", loop])));

function tool(program: string, args: readonly string[], input = ""): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", input });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
  return stdout.trim();
}

/** A drive of 2 TB, of which nothing is stored but what is written. */
function drive(name: string): string {
  const file = join(folder, name);
  const descriptor = openSync(file, "w");
  ftruncateSync(descriptor, BYTES);
  closeSync(descriptor);
  const loop = tool("losetup", ["--find", "--show", file]);
  loops.push(loop);
  return loop;
}

function write(path: string, offset: number, text: string): void {
  const descriptor = openSync(path, "r+");
  writeSync(descriptor, text, offset);
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/** What real tools say is on these drives, which are taken for drives of the machine. */
async function planOf(paths: readonly string[], token?: string): Promise<ReturnType<typeof planDisks>> {
  const found = (await blockDevices(host)).filter(({ path }) => paths.includes(path));
  const drives = await Promise.all(
    found.map(async (device) => ({ device, leftBecause: undefined, mountPoints: [], inspected: await inspectDevice(host, device) })),
  );
  return planDisks(drives, token);
}

/** When a drive was written to, and how much of it is stored. */
function written(loop: string): readonly number[] {
  const { mtimeMs, blocks } = statSync(tool("losetup", ["--noheadings", "--output", "BACK-FILE", loop]));
  return [mtimeMs, blocks];
}

const BYTES = 2_000_000_000_000;

test("what real tools have made is found by real tools, and nothing is written", async () => {
  const [empty, table, files, strange] = ["empty", "table", "files", "strange"].map(drive) as [string, string, string, string];
  tool("sfdisk", ["--quiet", table], "label: gpt\nsize=100MiB, uuid=f46600e3-d0e6-4258-9607-e64b13cf7595, name=esp\n");
  // The table's own checksum no longer fits: its copy at the end is what is left.
  write(table, 0x210, "\0\0\0\0");
  tool("mke2fs", ["-q", "-t", "ext4", files, "1G"]);
  write(strange, BYTES - 600, "left over");
  const before = [empty, table, files, strange].map(written);
  const plan = await planOf([empty, table, files, strange]);
  expect(plan.drives.map(({ leftBecause, lost }) => [leftBecause, ...lost.map(({ holds }) => holds)])).toEqual([
    [undefined],
    ["a node is on it", "partition table (gpt), one copy alone, data of a kind that is not known"],
    [undefined, "ext4"],
    ["data of a kind that is not known is on it", "data of a kind that is not known"],
  ]);
  expect(plan.unknown).toEqual([]);
  expect([empty, table, files, strange].map(written)).toEqual(before);
});

test("a host's volume group is found by LVM itself, also where half of it is missing; made again, it has another token", async () => {
  const drives = ["first", "second"].map(drive);
  const make = (): void => {
    tool("pvcreate", ["--yes", "--quiet", ...drives]);
    tool("vgcreate", ["--quiet", "--devices", drives.join(","), "hostlvm", ...drives]);
  };
  make();
  const before = drives.map(written);
  const plan = await planOf(drives);
  expect(plan.mistakes).toMatchObject([{ code: "node-installed", found: expect.stringContaining(drives.join(", ")) as string }]);
  expect(plan.unknown).toEqual([]);
  const half = await planOf(drives.slice(0, 1));
  expect(half.mistakes[0]?.found).toContain("1 of the drives of its group");
  expect(half.token).not.toBe(plan.token);
  expect((await planOf(drives, plan.token)).mistakes).toEqual([]);
  expect(drives.map(written)).toEqual(before);
  tool("vgremove", ["--yes", "--devices", drives.join(","), "hostlvm"]);
  make();
  expect((await planOf(drives, plan.token)).mistakes.map(({ code }) => code)).toEqual(["node-installed", "replace-token-other"]);
});

test("a drive that fails to be read is not known", async () => {
  const loop = drive("gone");
  truncateSync(tool("losetup", ["--noheadings", "--output", "BACK-FILE", loop]), 4096);
  const plan = await planOf([loop]);
  expect(plan.unknown.map(({ code }) => code)).toEqual(["disk-content-not-known"]);
  expect(plan.drives.map(({ leftBecause }) => leftBecause)).toEqual(["it is not known what is on it"]);
});
