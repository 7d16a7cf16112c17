import { hash } from "node:crypto";
import { ProblemError } from "../base/problem.ts";
import { alignedBuffers } from "../system/disks/aligned-memory.ts";
import { openDirect } from "../system/disks/direct-file.ts";
import { fileSource } from "../system/files/byte-source.ts";
import type { Host } from "../system/host.ts";
import { BufferPool } from "../upgrade/buffer-pool.ts";
import type { Chunk, ChunkHandler } from "../upgrade/chunked-member.ts";
import { firstChunk, receiveDisk } from "../upgrade/disk-archive.ts";
import { CHUNK_BYTES } from "../upgrade/manifest.ts";
import { readBack } from "../upgrade/read-back.ts";
import { SlotWriter } from "../upgrade/slot-writer.ts";
import type { StickImage } from "./images.ts";
import { BOOT_SECTORS_BYTES, ESP_OFFSET } from "./install-plan.ts";
import { RECORD_BYTES, RECORD_OFFSET } from "./install-record.ts";

/** An archive on the stick, and what it is to hold. */
export interface Archive {
  readonly file: string;
  readonly image: StickImage;
}

export interface WriteProgress {
  readonly phase: "read" | "write" | "read-back";
  /** Bytes of the archive, or of the disk. */
  readonly done: number;
  readonly total: number;
}

type OnProgress = (progress: WriteProgress) => void;

/** Reads an archive and compares it with what the stick says of it: nothing is destroyed before that. @throws ProblemError */
export async function proveArchive(host: Host, { file, image }: Archive, onProgress: OnProgress): Promise<void> {
  const source = await fileSource(file, host.signal);
  await using buffers = new BufferPool();
  const stream = buffers.hashing.stream();
  let done = 0;
  for await (const chunk of source.chunks) {
    await stream.update(chunk);
    done += chunk.length;
    if (done > image.bytes) break;
    onProgress({ phase: "read", done, total: image.bytes });
  }
  const found = Buffer.from(await stream.digest()).toString("hex");
  if (done === image.bytes && found === image.sha256) return;
  throw new ProblemError({
    code: "archive-damaged",
    what: `${file} is damaged, so nothing is installed from it`,
    found: done === image.bytes ? `SHA-256 ${found}` : `${done > image.bytes ? "more than " : ""}${Math.min(done, image.bytes)} bytes`,
    expected: done === image.bytes ? image.sha256 : `${image.bytes} bytes`,
    todo: "write the stick again, or take another one",
  });
}

/**
 * Writes the disk of an archive to a device, in one pass, and reads it back from the device.
 *
 * @param bytes of the device
 * @param withoutBootLoader of a host's disk: the beginning of its first partition stays zeros, so that no firmware starts it; and the record
 *   of the installation stays
 * @throws ProblemError. What was written by then is of no use, and does no harm
 */
export async function writeDisk(
  host: Host,
  archive: Archive,
  device: { readonly path: string; readonly bytes: number },
  { withoutBootLoader, onProgress }: { readonly withoutBootLoader: boolean; readonly onProgress: OnProgress },
): Promise<void> {
  const { file, image } = archive;
  if (image.disk > device.bytes)
    throw new ProblemError({
      code: "disk-larger-than-device",
      what: `the disk in ${file} is larger than ${device.path}`,
      found: `${image.disk} bytes`,
      expected: `at most ${device.bytes} bytes`,
      todo: "take larger drives",
    });
  await using buffers = new BufferPool();
  const opened = await openDirect(device.path, device.bytes, "write");
  const head = withoutBootLoader ? await headWithout(host, device.path) : undefined;
  const written = await (async () => {
    try {
      const writer = new SlotWriter(host, opened, "block-device", buffers);
      const handler: ChunkHandler = {
        take: async (chunk, digest) => writer.take(chunk.index === 0 && head !== undefined ? head.of(chunk) : chunk, digest),
        end: async () => writer.finish(),
      };
      const source = await fileSource(file, host.signal);
      return await receiveDisk(
        source,
        { sha256: image.sha256, most: image.bytes },
        buffers,
        async (bytes) => {
          if (bytes !== image.disk) throw otherSize(file, bytes, image.disk);
          return handler;
        },
        (done) => onProgress({ phase: "write", done, total: image.bytes }),
      );
    } finally {
      await opened.close();
    }
  })();
  const chunks = head === undefined ? written.chunks : [head.digest(), ...written.chunks.slice(1)];
  let done = 0;
  await readBack(host, { ...device, kind: "block-device" }, { ...written, chunks }, buffers, (count) => {
    done += count;
    onProgress({ phase: "read-back", done, total: image.disk });
  });
}

function otherSize(file: string, found: number, expected: number): ProblemError {
  return new ProblemError({
    code: "disk-size-differs",
    what: `the disk in ${file} has another size than the stick says`,
    found: `${found} bytes`,
    expected: `${expected} bytes`,
    todo: "write the stick again, from an image that you have downloaded again",
  });
}

/** The first chunk of a host's disk as it is until the end: the boot loader's part is zeros, and the record is that of the drive. */
async function headWithout(
  host: Host,
  drive: string,
): Promise<{ readonly of: (chunk: Chunk) => Chunk; readonly digest: () => Uint8Array }> {
  const [memory] = alignedBuffers(1, CHUNK_BYTES);
  const record = await host.readAt(drive, RECORD_OFFSET, RECORD_BYTES);
  if (memory === undefined || record === undefined) throw new RangeError("no memory, or no record");
  let digest: Uint8Array | undefined;
  return {
    of(chunk) {
      memory.set(chunk.memory);
      memory.set(record, RECORD_OFFSET);
      memory.fill(0, ESP_OFFSET, chunk.length);
      digest = hash("sha256", memory, "buffer");
      return { ...chunk, memory, isZero: false };
    },
    digest() {
      if (digest === undefined) throw new Error("a disk without a beginning");
      return digest;
    },
  };
}

/** The beginning of the boot loader's partition, up to the end of the first chunk. */
export async function bootLoaderOf(host: Host, { file, image }: Archive): Promise<Uint8Array> {
  return (await firstChunk(await fileSource(file, host.signal), image.head)).subarray(ESP_OFFSET);
}

/** The same of a drive, past every cache. */
async function bootLoaderOn({ path, bytes }: { readonly path: string; readonly bytes: number }): Promise<Buffer> {
  const [held] = alignedBuffers(1, CHUNK_BYTES);
  if (held === undefined) throw new RangeError("no memory");
  const opened = await openDirect(path, bytes, "read");
  try {
    await opened.read(held, 0);
  } finally {
    await opened.close();
  }
  return held.subarray(ESP_OFFSET);
}

/**
 * Whether the boot loader is on the drive already: the power was cut behind it. Its beginning is written when all else of it is durable; HostOS
 * may have run since, and have changed what is behind that.
 */
export async function hasBootLoader(
  host: Host,
  archive: Archive,
  drive: { readonly path: string; readonly bytes: number },
): Promise<boolean> {
  const [found, wanted] = [await bootLoaderOn(drive), await bootLoaderOf(host, archive)];
  return found.subarray(0, BOOT_SECTORS_BYTES).equals(wanted.subarray(0, BOOT_SECTORS_BYTES));
}

/** Writes the beginning of the boot loader's partition, which makes the drive one that firmware starts, and reads it back. @throws ProblemError */
export async function writeBootLoader(
  host: Host,
  archive: Archive,
  drive: { readonly path: string; readonly bytes: number },
): Promise<void> {
  const wanted = await bootLoaderOf(host, archive);
  // Its boot sector last: without it there is no file system.
  await host.writeInPlace(drive.path, wanted.subarray(BOOT_SECTORS_BYTES), ESP_OFFSET + BOOT_SECTORS_BYTES);
  await host.writeInPlace(drive.path, wanted.subarray(0, BOOT_SECTORS_BYTES), ESP_OFFSET);
  if ((await bootLoaderOn(drive)).equals(wanted)) return;
  throw new ProblemError({
    code: "read-back-differs",
    what: `${drive.path} does not hold what was written to it`,
    found: `other content between byte ${ESP_OFFSET} and ${CHUNK_BYTES}`,
    todo: "the disk loses or changes data: see dmesg and smartctl; replace it",
  });
}
