import { systemClock } from "../base/clock.ts";
import { randomUUID } from "node:crypto";
import { removeIntent } from "../config/state/intent.ts";
import type { Layout, Slot } from "../config/layout/layout.ts";
import type { ByteSource } from "../system/files/byte-source.ts";
import { openDirect } from "../system/disks/direct-file.ts";
import type { Host } from "../system/host.ts";
import { BadImage } from "./bad-image.ts";
import { otherSlot } from "./boot-state.ts";
import type { ChunkHandler } from "./chunked-member.ts";
import { BufferPool } from "./buffer-pool.ts";
import { contentDigest, type MemberName } from "./manifest.ts";
import { type InstallState, preflight, requireNotRefused, requireVersion } from "./preflight.ts";
import { readBack } from "./read-back.ts";
import { receive, type Received, RefusedImageError } from "./receive.ts";
import { verifyRoot } from "./root-hash.ts";
import type { Place, SlotPlaces } from "./slot-places.ts";
import { refuseImage, type SlotRecord, writeSlotRecord } from "./slot-state.ts";
import { SlotWriter, type Written } from "./slot-writer.ts";
import type { Trust } from "./trust.ts";

export interface InstallRequest {
  readonly source: ByteSource;
  readonly trust: Trust;
  /** Also accept a version that is not newer than the running one. */
  readonly allowDowngrade: boolean;
  readonly onProgress: (progress: Progress) => void;
}

export interface Progress {
  readonly phase: "receive" | "read-back";
  /** Bytes of the file, or of the partitions. */
  readonly done: number;
  readonly total: number | undefined;
}

/** How an install began: `resumed` where the slot holds a part of the same image; `restarted` where it holds a part of another. */
export type Beginning = "fresh" | "resumed" | "restarted";

export interface Installed {
  readonly slot: Slot;
  readonly version: string;
  readonly sha256: string;
  /** UUID; in the slot's record too. */
  readonly install: string;
  readonly beginning: Beginning;
  readonly hasManifest: boolean;
  /** With which the root was verified: that of the kernel's command line in boot.img. Absent where that has none. */
  readonly rootHash?: string;
  /** Bytes of the file. */
  readonly received: number;
  readonly boot: Written;
  readonly root: Written;
  /** Seconds for receiving and writing, and for reading back. */
  readonly seconds: { readonly receive: number; readonly readBack: number };
}

/** Finds the slot's partitions; replaced in tests. */
export type FindPlaces = (host: Host, layout: Layout, slot: Slot) => Promise<SlotPlaces>;

/** Bytes of a var partition to wipe so that the next boot makes it again: the LUKS2 header, both copies, and its key slots. */
const VAR_HEADER_BYTES = 16 * 1024 * 1024;

/**
 * Installs an image into the slot that does not run. Each step is on the disk before the next one begins (rule R2). The slot is marked
 * incomplete, written, synced, and read back from the device. Its root is verified with the hash that its kernel will be given. Then its
 * /var is wiped, and the intent of that /var removed. Only then is it marked installed. The boot loader is not touched.
 *
 * The caller holds the upgrade lock.
 *
 * @throws ProblemError. A problem before the first member of the image leaves the slot unchanged
 */
export async function install(host: Host, layout: Layout, request: InstallRequest, findPlaces: FindPlaces): Promise<Installed> {
  const state = await preflight(host, layout, request.trust);
  const slot = otherSlot(state.running);
  const places = await findPlaces(host, layout, slot);
  await using buffers = new BufferPool();
  const target: Target = { host, layout, slot, places, buffers };
  const taken = await takeIn(target, request, state);
  if (request.trust.kind === "insecure") await requireNotRefused(host, layout, taken.received.sha256);
  const start = systemClock.now();
  await readBackBoth(target, taken.received, request.onProgress);
  const readBackSeconds = systemClock.now() - start;
  const rootHash = await verified(target, taken, request);
  await wipeVar(host, places.var, buffers);
  await removeIntent(host, layout.config.intents, `var-${slot}`);
  return await finish(target, taken, readBackSeconds, rootHash);
}

/** The slot to write, and the means. */
interface Target {
  readonly host: Host;
  readonly layout: Layout;
  readonly slot: Slot;
  readonly places: SlotPlaces;
  readonly buffers: BufferPool;
}

/** The UUID of the install, once the slot has been marked with it. */
interface Begun {
  readonly install: string;
  readonly beginning: Beginning;
}

/** An image that is in the slot, and synced. */
interface Taken extends Begun {
  readonly received: Received;
  readonly boot: Written;
  readonly root: Written;
  readonly seconds: number;
}

/** Receives the image and writes it to the slot, member by member. The consequences of a bad image are recorded. */
async function takeIn(target: Target, request: InstallRequest, { before, runningVersion }: InstallState): Promise<Taken> {
  const { source, trust, allowDowngrade, onProgress } = request;
  const { host, places, buffers } = target;
  const start = systemClock.now();
  const writers = new Map<MemberName, SlotWriter>();
  await using files = new AsyncDisposableStack();
  let begun: Begun | undefined;
  let version: string | undefined;
  const member = async (name: MemberName, bytes: number): Promise<ChunkHandler> => {
    const place = name === "boot.img" ? places.boot : places.root;
    requireRoom(name, bytes, place);
    begun ??= await begin(target, trust, before);
    const file = files.adopt(await openDirect(place.path, place.bytes, "write"), async (opened) => opened.close());
    const writer = new SlotWriter(host, file, place.kind, buffers);
    writers.set(name, writer);
    return { take: writer.take, end: () => writer.finish() };
  };
  // An uncompressed image has headers and padding besides its members.
  const expectation = { sha256: knownHash(trust), most: places.boot.bytes + places.root.bytes + 64 * 1024 * 1024 };
  try {
    const received = await receive(source, expectation, buffers, {
      version: (text) => {
        version = text;
        if (!allowDowngrade) requireVersion(text, runningVersion, source.name);
      },
      member,
      onBytes: (done) => onProgress({ phase: "receive", done, total: source.size() }),
    });
    const [boot, root] = [writers.get("boot.img"), writers.get("root.img")];
    if (begun === undefined || boot === undefined || root === undefined) throw new Error("nothing was written");
    return { ...begun, received, boot: boot.counts, root: root.counts, seconds: systemClock.now() - start };
  } catch (error) {
    if (error instanceof BadImage) await writeDown(target, error, begun, version);
    throw error;
  }
}

function requireRoom(name: MemberName, bytes: number, place: Place): void {
  if (bytes <= place.bytes) return;
  throw new BadImage({
    code: "image-larger-than-partition",
    what: `${name} is larger than its partition`,
    found: `${bytes} bytes`,
    expected: `at most the ${place.bytes} bytes of ${place.path}`,
  });
}

function knownHash(trust: Trust): string | undefined {
  return trust.kind === "insecure" ? undefined : trust.sha256;
}

/** Called before the first byte goes to the slot: from here on, its content is unusable until the install ends. */
async function begin({ host, layout, slot }: Target, trust: Trust, before: SlotRecord | undefined): Promise<Begun> {
  const sha256 = knownHash(trust);
  const unfinished = before?.kind === "incomplete" ? before : undefined;
  const isSame = unfinished?.sha256 !== undefined && unfinished.sha256 === sha256;
  const install = isSame ? unfinished.install : randomUUID();
  await writeSlotRecord(host, layout, slot, {
    kind: "incomplete",
    install,
    ...(sha256 === undefined ? {} : { sha256 }),
    since: new Date().toISOString(),
  });
  return { install, beginning: unfinished === undefined ? "fresh" : isSame ? "resumed" : "restarted" };
}

/**
 * Records the new state of the slot. Only a bad image has a lasting consequence. An install that was interrupted, by a lost connection or
 * by an operator, stays incomplete and can resume.
 */
async function writeDown(
  { host, layout, slot }: Target,
  error: BadImage,
  begun: Begun | undefined,
  version: string | undefined,
): Promise<void> {
  const at = new Date().toISOString();
  const authentic = error instanceof RefusedImageError ? error.sha256 : undefined;
  const reason = error.problem.what;
  if (authentic !== undefined) await refuseImage(host, layout, { sha256: authentic, reason, at });
  if (begun === undefined) return;
  await writeSlotRecord(host, layout, slot, {
    ...{ kind: "failed", reason, at },
    ...(version === undefined ? {} : { version }),
    ...(authentic === undefined ? {} : { sha256: authentic }),
  });
}

async function readBackBoth(
  { host, places, buffers }: Target,
  { members }: Received,
  onProgress: InstallRequest["onProgress"],
): Promise<void> {
  const total = members["boot.img"].bytes + members["root.img"].bytes;
  let done = 0;
  const onBytes = (count: number): void => {
    done += count;
    onProgress({ phase: "read-back", done, total });
  };
  await readBack(host, places.boot, members["boot.img"], buffers, onBytes);
  await readBack(host, places.root, members["root.img"], buffers, onBytes);
}

/** An image whose root does not match its root hash is bad, whoever vouched for it. @returns the hash, where the image has one */
async function verified(
  target: Target,
  { received, install, beginning }: Taken,
  { trust, source }: InstallRequest,
): Promise<string | undefined> {
  const { host, places, slot } = target;
  try {
    return (await verifyRoot(host, places, slot))?.hash;
  } catch (error) {
    if (!(error instanceof BadImage)) throw error;
    const bad = new BadImage({ ...error.problem, where: { file: source.name } }, error);
    const refused = trust.kind === "insecure" ? bad : new RefusedImageError(bad, received.sha256);
    await writeDown(target, refused, { install, beginning }, received.version);
    throw refused;
  }
}

async function finish(
  { host, layout, slot }: Target,
  taken: Taken,
  readBackSeconds: number,
  rootHash: string | undefined,
): Promise<Installed> {
  const { received, install, beginning, boot, root } = taken;
  const { version, sha256, bytes, members, hasManifest } = received;
  await writeSlotRecord(host, layout, slot, {
    ...{ kind: "installed", install, version, sha256 },
    boot: { bytes: members["boot.img"].bytes, digest: contentDigest(members["boot.img"]) },
    root: { bytes: members["root.img"].bytes, digest: contentDigest(members["root.img"]) },
    at: new Date().toISOString(),
  });
  const seconds = { receive: taken.seconds, readBack: readBackSeconds };
  const known = { slot, version, sha256, install, beginning, hasManifest, ...(rootHash === undefined ? {} : { rootHash }) };
  return { ...known, received: bytes, boot, root, seconds };
}

/**
 * Writes zeros over the LUKS header of the slot's /var, so that its first boot makes a new one. Zeros that are already there are not
 * written again.
 */
async function wipeVar(host: Host, place: Place, buffers: BufferPool): Promise<void> {
  const file = await openDirect(place.path, place.bytes, "write");
  const buffer = await buffers.held.take();
  try {
    const end = Math.min(VAR_HEADER_BYTES, place.bytes);
    for (let offset = 0; offset < end; offset += buffers.zeros.length) {
      host.signal.throwIfAborted();
      const held = buffer.subarray(0, Math.min(buffers.zeros.length, end - offset));
      const zeros = buffers.zeros.subarray(0, held.length);
      await file.read(held, offset);
      if (!held.equals(zeros)) await file.write(zeros, offset);
    }
    await file.sync();
  } finally {
    buffers.held.giveBack(buffer);
    await file.close();
  }
}
