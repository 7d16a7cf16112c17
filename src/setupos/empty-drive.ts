import { ProblemError } from "../base/problem.ts";
import { pause, systemClock } from "../base/clock.ts";
import { type BlockDevice, blockDevices } from "../system/disks/lsblk.ts";
import { isZero } from "../system/disks/signature.ts";
import { signaturesOn, wipeSignatures } from "../system/disks/wipefs.ts";
import { closeLayer, readTableAgain } from "../system/disks/layers.ts";
import type { Host } from "../system/host.ts";
import { readPart } from "./disk-contents.ts";
import { RECORD_BYTES, RECORD_OFFSET } from "./install-record.ts";

/** Bytes that are zeroed at either end of a drive and of each layer on it: every label of md, LVM, ZFS and a GPT is in them. */
const END = 4 * 1024 * 1024;
/**
 * Bytes from the beginning at which copies of labels lie that are far from both ends: those of btrfs (btrfs(5), "Superblock") and of a store
 * of ceph (bdev_label_positions in its BlueStore), which older versions counted in thousands. Who finds such a copy repairs the first one by it.
 */
const FAR = [2 ** 26, 2 ** 38, ...[1, 10, 100, 1000].flatMap((count) => [count * 2 ** 30, count * 10 ** 9])];
/** Bytes that are zeroed at each. */
const FAR_BYTES = 64 * 1024;
/** What stays on a drive that is emptied. */
export type Kept = "the record" | "nothing";

/** What is closed may show what lay below it. */
const ROUNDS = 3;

/**
 * Takes everything away that is on a drive, whatever nests in what: from the top down, each layer is wiped while it is open, and then closed.
 * At last zeros are where labels lie, and a fresh inspection finds nothing.
 *
 * @param keeps the record of the installation, on the system drive; on another one it is that of an earlier installation
 * @throws ProblemError naming what is still there
 */
export async function emptyDrive(host: Host, path: string, keeps: Kept): Promise<void> {
  for (let round = 1; round <= ROUNDS; round += 1) {
    await emptyOnce(host, path, keeps);
    if ((await leftOn(host, path, keeps)) === undefined) return;
  }
  throw new ProblemError({
    code: "drive-not-emptied",
    what: `what is on ${path} cannot be taken away`,
    found: (await leftOn(host, path, keeps)) ?? "something that comes back",
    expected: "nothing, after each layer was wiped and closed",
    todo: "find out what holds it: lsblk, dmesg; or wipe the drive on another computer",
  });
}

/** Whether nothing is found on a drive, but for what it keeps. */
export async function isEmptyDrive(host: Host, path: string, keeps: Kept): Promise<boolean> {
  return (await leftOn(host, path, keeps, 0)) === undefined;
}

async function emptyOnce(host: Host, path: string, keeps: Kept): Promise<void> {
  // Layers that two devices share are seen twice, and are gone the second time.
  for (const layer of fromTop(await deviceAt(host, path))) {
    host.signal.throwIfAborted();
    if ((await host.stat(layer.path)) === undefined) continue;
    await wipeSignatures(host, layer.path);
    for (const [from, to] of labelsOf(layer, layer.path === path ? keeps : "nothing"))
      await host.writeInPlace(layer.path, Buffer.alloc(to - from), from);
    await closeLayer(host, layer);
  }
  await readTableAgain(host, path);
}

/** What lies on a device comes before it. */
function* fromTop(device: BlockDevice): Generator<BlockDevice> {
  for (const child of device.children) yield* fromTop(child);
  yield device;
}

async function deviceAt(host: Host, path: string): Promise<BlockDevice> {
  const found = (await blockDevices(host)).find((device) => device.path === path);
  if (found !== undefined) return found;
  throw new ProblemError({ code: "drive-missing", what: `there is no drive ${path} any more`, todo: "check its cable and slot: dmesg" });
}

/** Where labels may lie, from and to, in bytes; without what is kept. */
function labelsOf({ bytes }: Pick<BlockDevice, "bytes">, keeps: Kept): readonly (readonly [number, number])[] {
  const end = Math.min(END, bytes);
  const start = keeps === "the record" ? [[0, RECORD_OFFSET] as const, [RECORD_OFFSET + RECORD_BYTES, end] as const] : [[0, end] as const];
  const far = FAR.map((at) => [at, Math.min(at + FAR_BYTES, bytes)] as const);
  return [...start, ...far, [Math.max(end, bytes - END), bytes] as const].filter(([from, to]) => to > from);
}

/** Milliseconds until the kernel has forgotten the partitions of an empty drive. */
const FORGET = 30_000;

/** In words; nothing where the drive is empty. @param patience milliseconds for the kernel to forget */
async function leftOn(host: Host, path: string, keeps: Kept, patience = FORGET): Promise<string | undefined> {
  const until = systemClock.now() + patience / 1000;
  let device = await deviceAt(host, path);
  while (device.children.length > 0 && systemClock.now() < until) {
    await pause(systemClock, 500, host.signal);
    await readTableAgain(host, path);
    device = await deviceAt(host, path);
  }
  if (device.children.length > 0) return device.children.map((child) => child.path).join(", ");
  const signatures = await signaturesOn(host, path);
  if (signatures.length > 0) return signatures.map(({ type, offset }) => `${type} at byte ${offset}`).join(", ");
  for (const [from, to] of labelsOf(device, keeps)) {
    if (!isZero(await readPart(host, path, from, to - from))) return `bytes that are not zero, at byte ${from} or behind it`;
  }
  return undefined;
}
