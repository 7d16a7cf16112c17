import { randomUUID } from "node:crypto";
import { removeIntent } from "../config/state/intent.ts";
import type { Layout, Slot } from "../config/layout/layout.ts";
import type { ByteSource } from "../system/files/byte-source.ts";
import { type DirectFile, openDirect } from "../system/disks/direct-file.ts";
import type { Host } from "../system/host.ts";
import { ProblemError } from "../base/problem.ts";
import { BadImage } from "../tar/bad-image.ts";
import { otherSlot } from "./boot-state.ts";
import type { ChunkHandler } from "./chunked-member.ts";
import { Lanes } from "./buffer-pool.ts";
import { contentDigest, type MemberName } from "./manifest.ts";
import { preflight, requireNotRefused, requireVersion } from "./preflight.ts";
import { readBack } from "./read-back.ts";
import { receive, type Received, RefusedImageError } from "./receive.ts";
import type { Place, SlotPlaces } from "./slot-places.ts";
import { refuseImage, type SlotRecord, writeSlotRecord } from "./slot-state.ts";
import { SlotWriter, type Written } from "./slot-writer.ts";
import type { Trust } from "./trust.ts";

export interface InstallRequest {
  readonly source: ByteSource;
  readonly trust: Trust;
  /** Also take a version that is not newer than the running one. */
  readonly allowDowngrade: boolean;
  readonly onProgress: (progress: Progress) => void;
}

export interface Progress {
  readonly phase: "receive" | "read-back";
  /** Bytes of the file, or of the partitions. */
  readonly done: number;
  readonly total: number | undefined;
}

/** How an install began: `resumed` where the slot holds a part of the same image; `restarted` where one of another. */
export type Beginning = "fresh" | "resumed" | "restarted";

export interface Installed {
  readonly slot: Slot;
  readonly version: string;
  readonly sha256: string;
  /** UUID; in the slot's record too. */
  readonly install: string;
  readonly beginning: Beginning;
  readonly hasManifest: boolean;
  /** Bytes of the file. */
  readonly received: number;
  readonly boot: Written;
  readonly root: Written;
  /** Seconds: of receiving and writing, and of reading back. */
  readonly seconds: { readonly receive: number; readonly readBack: number };
}

/** Where the slot's partitions are; another answer in tests. */
export type FindPlaces = (host: Host, layout: Layout, slot: Slot) => Promise<SlotPlaces>;

/** How much of a var partition has to go for its next boot to make it anew: the LUKS2 header, both copies, and its key slots. */
const VAR_HEADER_BYTES = 16 * 1024 * 1024;

/**
 * Installs an image into the slot that does not run. Each step is on the disk before the next one begins (rule R2): the slot
 * is marked incomplete, written, synced, read back from the device, its /var wiped and that one's intent removed; and only then
 * it is marked installed. The boot loader is not touched.
 *
 * The caller holds the upgrade lock.
 *
 * @throws ProblemError. What was wrong before the first member of the image leaves the slot as it was
 */
export async function install(host: Host, layout: Layout, request: InstallRequest, findPlaces: FindPlaces): Promise<Installed> {
  const { running, runningVersion, before } = await preflight(host, layout, request.trust);
  const slot = otherSlot(running);
  const places = await findPlaces(host, layout, slot);
  await using lanes = new Lanes();
  const work = new Work(host, layout, slot, places, request, before, lanes);
  try {
    const received = await work.receive(runningVersion);
    if (request.trust.kind === "insecure") await requireNotRefused(host, layout, received.sha256);
    const start = performance.now();
    await work.readBack(received);
    const readBackSeconds = (performance.now() - start) / 1000;
    await wipeVar(host, places.var, lanes);
    await removeIntent(host, layout.config.intents, `var-${slot}`);
    return await work.finish(received, readBackSeconds);
  } catch (error) {
    await work.failed(error);
    throw error;
  }
}

/** One install on its way. */
class Work {
  readonly #host: Host;
  readonly #layout: Layout;
  readonly #slot: Slot;
  readonly #places: SlotPlaces;
  readonly #request: InstallRequest;
  readonly #before: SlotRecord | undefined;
  readonly #writers = new Map<MemberName, SlotWriter>();
  readonly #open = new Set<DirectFile>();
  readonly #lanes: Lanes;
  #begun: { readonly install: string; readonly beginning: Beginning } | undefined;
  #version: string | undefined;
  #receiveSeconds = 0;

  constructor(
    host: Host,
    layout: Layout,
    slot: Slot,
    places: SlotPlaces,
    request: InstallRequest,
    before: SlotRecord | undefined,
    lanes: Lanes,
  ) {
    this.#host = host;
    this.#layout = layout;
    this.#slot = slot;
    this.#places = places;
    this.#request = request;
    this.#before = before;
    this.#lanes = lanes;
  }

  async receive(runningVersion: string | undefined): Promise<Received> {
    const { source, trust, allowDowngrade, onProgress } = this.#request;
    const start = performance.now();
    const { boot, root } = this.#places;
    try {
      // An image that is not compressed has headers and padding besides its members.
      const expectation = {
        sha256: trust.kind === "insecure" ? undefined : trust.sha256,
        most: boot.bytes + root.bytes + 64 * 1024 * 1024,
      };
      return await receive(source, expectation, this.#lanes, {
        version: (version) => {
          this.#version = version;
          if (!allowDowngrade) requireVersion(version, runningVersion, source.name);
        },
        member: (name, bytes) => this.#member(name, bytes),
        onBytes: (done) => onProgress({ phase: "receive", done, total: source.size() }),
      });
    } finally {
      await Promise.all([...this.#open].map((file) => file.close()));
      this.#open.clear();
      this.#receiveSeconds = (performance.now() - start) / 1000;
    }
  }

  async #member(name: MemberName, bytes: number): Promise<ChunkHandler> {
    const place = name === "boot.img" ? this.#places.boot : this.#places.root;
    if (bytes > place.bytes) {
      throw new BadImage({
        code: "image-larger-than-partition",
        what: `${name} is larger than its partition`,
        where: { file: this.#request.source.name },
        found: `${bytes} bytes`,
        expected: `at most the ${place.bytes} bytes of ${place.path}`,
      });
    }
    await this.#begin();
    const file = await openDirect(place.path, place.bytes, "write");
    this.#open.add(file);
    const writer = new SlotWriter(this.#host, file, place.kind, this.#lanes);
    this.#writers.set(name, writer);
    return {
      take: writer.take,
      end: () => writer.finish(),
    };
  }

  /** Before the first byte goes to the slot: it is worth nothing from here on, until it is installed. */
  async #begin(): Promise<void> {
    if (this.#begun !== undefined) return;
    const { trust } = this.#request;
    const sha256 = trust.kind === "insecure" ? undefined : trust.sha256;
    const unfinished = this.#before?.kind === "incomplete" ? this.#before : undefined;
    const isSame = unfinished?.sha256 !== undefined && unfinished.sha256 === sha256;
    const install = isSame ? unfinished.install : randomUUID();
    this.#begun = { install, beginning: unfinished === undefined ? "fresh" : isSame ? "resumed" : "restarted" };
    await writeSlotRecord(this.#host, this.#layout, this.#slot, {
      kind: "incomplete",
      install,
      ...(sha256 === undefined ? {} : { sha256 }),
      since: new Date().toISOString(),
    });
  }

  async readBack({ members }: Received): Promise<void> {
    const total = members["boot.img"].bytes + members["root.img"].bytes;
    let done = 0;
    const onBytes = (count: number): void => {
      done += count;
      this.#request.onProgress({ phase: "read-back", done, total });
    };
    await readBack(this.#host, this.#places.boot, members["boot.img"], this.#lanes, onBytes);
    await readBack(this.#host, this.#places.root, members["root.img"], this.#lanes, onBytes);
  }

  async finish({ version, sha256, bytes, members, hasManifest }: Received, readBackSeconds: number): Promise<Installed> {
    const [boot, root] = [this.#writers.get("boot.img"), this.#writers.get("root.img")];
    if (this.#begun === undefined || boot === undefined || root === undefined) throw new Error("nothing was written");
    const { install, beginning } = this.#begun;
    await writeSlotRecord(this.#host, this.#layout, this.#slot, {
      ...{ kind: "installed", install, version, sha256 },
      boot: { bytes: members["boot.img"].bytes, digest: contentDigest(members["boot.img"]) },
      root: { bytes: members["root.img"].bytes, digest: contentDigest(members["root.img"]) },
      at: new Date().toISOString(),
    });
    return {
      ...{ slot: this.#slot, version, sha256, install, beginning, hasManifest, received: bytes, boot: boot.counts, root: root.counts },
      seconds: { receive: this.#receiveSeconds, readBack: readBackSeconds },
    };
  }

  /**
   * Writes down what the slot is now. Only a bad image says something that lasts; an install that was interrupted, by a lost
   * connection or by an operator, stays incomplete and can go on.
   */
  async failed(error: unknown): Promise<void> {
    const at = new Date().toISOString();
    const authentic = error instanceof RefusedImageError ? error.sha256 : undefined;
    const reason = error instanceof ProblemError ? error.problem.what : "";
    if (authentic !== undefined) await refuseImage(this.#host, this.#layout, { sha256: authentic, reason, at });
    if (this.#begun === undefined || !(error instanceof BadImage)) return;
    await writeSlotRecord(this.#host, this.#layout, this.#slot, {
      ...{ kind: "failed", reason, at },
      ...(this.#version === undefined ? {} : { version: this.#version }),
      ...(authentic === undefined ? {} : { sha256: authentic }),
    });
  }
}

/** Zeros where the LUKS header of the slot's /var is, so that its first boot makes a new one. Nothing is written where zeros are already. */
async function wipeVar(host: Host, place: Place, lanes: Lanes): Promise<void> {
  const file = await openDirect(place.path, place.bytes, "write");
  const buffer = await lanes.held.take();
  try {
    const end = Math.min(VAR_HEADER_BYTES, place.bytes);
    for (let offset = 0; offset < end; offset += lanes.zeros.length) {
      host.signal.throwIfAborted();
      const held = buffer.subarray(0, Math.min(lanes.zeros.length, end - offset));
      const zeros = lanes.zeros.subarray(0, held.length);
      await file.read(held, offset);
      if (!held.equals(zeros)) await file.write(zeros, offset);
    }
    await file.sync();
  } finally {
    lanes.held.giveBack(buffer);
    await file.close();
  }
}
