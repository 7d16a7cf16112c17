import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { alignedBuffers } from "../../../../src/system/disks/aligned-memory.ts";
import { HashThread } from "../../../../src/system/processes/hash-thread.ts";

const MIB = 1024 * 1024;
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const hex = (digest: Uint8Array): string => Buffer.from(digest).toString("hex");

test.each([0, 1, MIB - 1, MIB, 4 * MIB])("%i bytes have the same hash on the thread as beside it", async (length) => {
  await using thread = new HashThread();
  const [buffer] = alignedBuffers(1, 4 * MIB);
  if (buffer === undefined) throw new Error("no memory");
  for (let at = 0; at < length; at += 1009) buffer[at] = at % 251;
  expect(hex(await thread.sha256(buffer.subarray(0, length)))).toBe(sha256(buffer.subarray(0, length)));
});

test.each([
  [0, 1],
  [MIB - 1, 777],
  [MIB, 65_536],
  [7 * MIB + 5, 100_003],
  [9 * MIB, 3 * MIB],
])("a stream of %i bytes in pieces of %i is hashed as one, while chunks are hashed beside it", async (length, size) => {
  await using thread = new HashThread();
  const content = Buffer.from(Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) & 0xff));
  const [chunk] = alignedBuffers(1, 4 * MIB);
  if (chunk === undefined) throw new Error("no memory");
  const stream = thread.stream();
  const piece = Buffer.alloc(size);
  const beside: Promise<Uint8Array>[] = [];
  for (let at = 0; at < length; at += size) {
    // The same memory again and again, as a source has it.
    const count = content.copy(piece, 0, at);
    await stream.update(piece.subarray(0, count));
    if (beside.length < 3) beside.push(thread.sha256(chunk));
  }
  expect(hex(await stream.digest())).toBe(sha256(content));
  for (const digest of await Promise.all(beside)) expect(hex(digest)).toBe(sha256(chunk));
});

test("work that is on its way when the thread is stopped fails, and does not wait forever", async () => {
  const thread = new HashThread();
  const [chunk] = alignedBuffers(1, 4 * MIB);
  if (chunk === undefined) throw new Error("no memory");
  const all = Promise.allSettled(Array.from({ length: 50 }, () => thread.sha256(chunk)));
  await thread[Symbol.asyncDispose]();
  expect((await all).map(({ status }) => status)).toContain("rejected");
  await expect(thread.sha256(chunk)).rejects.toThrow("stopped");
});
