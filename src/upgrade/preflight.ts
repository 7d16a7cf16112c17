import type { Layout, Slot } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { ProblemError } from "../base/problem.ts";
import { otherSlot } from "./boot-state.ts";
import { decideAndWrite } from "./apply-writes.ts";
import { writeGrubenv } from "./grubenv-file.ts";
import { inspect } from "./situation.ts";
import { readRefusedImages, type SlotRecord } from "./slot-state.ts";
import type { Trust } from "./trust.ts";
import { versionOrder } from "./version-order.ts";

/** The state from which an install starts. */
export interface InstallState {
  readonly running: Slot;
  /** `undefined` where the running system has no version file. */
  readonly runningVersion: string | undefined;
  /** The record of the slot to write, where there is one that can be read. */
  readonly before: SlotRecord | undefined;
}

/**
 * Refuses what can be refused before the image is opened: a system that is not stable, a boot loader set to another slot than the running
 * one, a grubenv that cannot be written, an image that was refused before.
 *
 * @throws ProblemError (RefusedError for refusals of the state machine)
 */
export async function preflight(host: Host, layout: Layout, trust: Trust): Promise<InstallState> {
  if (trust.kind !== "insecure") await requireNotRefused(host, layout, trust.sha256);
  await decideAndWrite(host, layout, "install");
  const { situation, block, slots } = await inspect(host, layout);
  // The same bytes again: if the commit could not be written an hour later, it is better to know now.
  if (block !== undefined) await writeGrubenv(host, layout.grubenv, block, block);
  const before = slots[otherSlot(situation.running)];
  return {
    running: situation.running,
    runningVersion: (await host.readText(layout.versionFile))?.trim(),
    before: before.kind === "record" ? before.record : undefined,
  };
}

/** @throws ProblemError when an image of that hash failed or was refused before */
export async function requireNotRefused(host: Host, layout: Layout, sha256: string): Promise<void> {
  const known = (await readRefusedImages(host, layout)).find((image) => image.sha256 === sha256);
  if (known === undefined) return;
  throw new ProblemError({
    code: "image-refused-before",
    what: "this image was tried or refused before",
    found: `since ${known.at}: ${known.reason}`,
    expected: "another image",
    todo: `install a repaired one; to try this one again nevertheless: guestos-boot upgrade forget ${sha256}`,
  });
}

/** Accepts only a version that is newer than the running one, or has no order with it (commit hashes). @throws ProblemError */
export function requireVersion(version: string, running: string | undefined, file: string): void {
  const order = running === undefined ? "unknown" : versionOrder(version, running);
  if (order === "newer" || order === "unknown") return;
  throw new ProblemError({
    code: "image-not-newer",
    what: order === "same" ? "the image has the version that is running" : "the image is older than the running system",
    where: { file },
    found: version,
    expected: `newer than ${running}`,
    todo: "--allow-downgrade installs it nevertheless",
  });
}
