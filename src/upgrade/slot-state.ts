import { join } from "node:path";
import * as z from "../base/schema.ts";
import type { Layout, Slot } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { readStateStrictly, writeState } from "../config/state/state-file.ts";

/**
 * The record of a slot's content, kept on the config partition (/boot/config/slots/A.json and B.json), which upgrades
 * do not touch. grubenv says which slot is to be booted; this record says whether the slot is usable.
 *
 *   incomplete   an install began and has not ended. Written before the first byte goes to the slot
 *   installed    written, read back, its var wiped; never tried
 *   proven       it ran and was confirmed, or was shipped
 *   failed       it was tried and was not confirmed, or the image to be installed was refused
 *
 * No file: nothing is known of the slot, as on a new disk, or after the shell tools of older systems. An unreadable
 * file is an error, never the same as no file.
 */

/** Lowercase hexadecimal, as the registry and sha256sum write it. */
const Sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/, "64 lowercase hexadecimal digits"));
const Time = z.iso.datetime();

/** The content of a partition: its first `bytes` bytes have this digest (contentDigest, src/upgrade/manifest.ts). */
const PartitionContent = z.strictObject({ bytes: z.int().check(z.positive()), digest: Sha256 });
export type PartitionContent = z.infer<typeof PartitionContent>;

/** An image as it was received. */
const Image = {
  /** VERSION.TXT, one line. */
  version: z.string().check(z.minLength(1), z.maxLength(256)),
  /** Of the whole file as it came, compressed or not: the hash that the registry and `--sha256` name. */
  sha256: Sha256,
  boot: PartitionContent,
  root: PartitionContent,
};

const Incomplete = z.strictObject({
  kind: z.literal("incomplete"),
  /** The UUID of the install; a new one for each install that starts over. */
  install: z.uuid(),
  /** Of the whole image, where the caller named it. Only an install of the same image may resume. */
  sha256: z.optional(Sha256),
  since: Time,
});

const Installed = z.strictObject({ kind: z.literal("installed"), install: z.uuid(), ...Image, at: Time });

const Proven = z.strictObject({
  kind: z.literal("proven"),
  /** That of the running system when it was proven. */
  version: z.string(),
  /** Where the slot was installed by guestos-boot; a shipped one has none. */
  image: z.optional(z.strictObject(Image)),
  at: Time,
});

const Failed = z.strictObject({
  kind: z.literal("failed"),
  /** For people: "it was started and not confirmed". */
  reason: z.string().check(z.minLength(1)),
  version: z.optional(z.string()),
  sha256: z.optional(Sha256),
  at: Time,
});

const SlotRecord = z.discriminatedUnion("kind", [Incomplete, Installed, Proven, Failed]);
export type SlotRecord = z.infer<typeof SlotRecord>;

/**
 * @returns `undefined` when nothing is known of the slot
 * @throws ProblemError for a record that exists but cannot be read: such a slot is neither booted nor built on
 */
export async function readSlotRecord(host: Host, layout: Layout, slot: Slot): Promise<SlotRecord | undefined> {
  return readStateStrictly(host, recordFile(layout, slot), SlotRecord, {
    code: "slot-record-unreadable",
    what: `the record of slot ${slot} cannot be read`,
    todo: "install an image into that slot again: that writes the record again",
  });
}

/** Durable when it returns. */
export async function writeSlotRecord(host: Host, layout: Layout, slot: Slot, record: SlotRecord): Promise<void> {
  await writeJson(host, layout, recordFile(layout, slot), record);
}

/** Images that were tried and failed, or were refused for their content: one attempt each, until an operator forgets them. */
const RefusedImage = z.strictObject({ sha256: Sha256, reason: z.string().check(z.minLength(1)), at: Time });
export type RefusedImage = z.infer<typeof RefusedImage>;
const RefusedImages = z.strictObject({ images: z.array(RefusedImage) });

/** @throws ProblemError for a list that exists but cannot be read: then it is unknown which images are bad */
export async function readRefusedImages(host: Host, layout: Layout): Promise<readonly RefusedImage[]> {
  const file = layout.config.refusedImages;
  const list = await readStateStrictly(host, file, RefusedImages, {
    code: "refused-images-unreadable",
    what: "the list of refused images cannot be read",
    todo: `inspect what can be read of it; then remove ${file}, which forgets them all`,
  });
  return list?.images ?? [];
}

/** Records an image by its hash, durably. An image that is already recorded keeps its first reason; nothing is written then. */
export async function refuseImage(host: Host, layout: Layout, image: RefusedImage): Promise<void> {
  const images = await readRefusedImages(host, layout);
  if (images.some(({ sha256 }) => sha256 === image.sha256)) return;
  await writeJson(host, layout, layout.config.refusedImages, { images: [...images, image] });
}

/** @returns the removed entry, or `undefined` when the image was not refused; nothing is written then */
export async function forgetImage(host: Host, layout: Layout, sha256: string): Promise<RefusedImage | undefined> {
  const images = await readRefusedImages(host, layout);
  const known = images.find((image) => image.sha256 === sha256);
  if (known !== undefined)
    await writeJson(host, layout, layout.config.refusedImages, { images: images.filter((image) => image !== known) });
  return known;
}

function recordFile(layout: Layout, slot: Slot): string {
  return join(layout.config.slots, `${slot}.json`);
}

async function writeJson(host: Host, layout: Layout, file: string, value: object): Promise<void> {
  await host.makeFolder(layout.config.slots, { mode: 0o755 });
  await writeState(host, file, value);
}
