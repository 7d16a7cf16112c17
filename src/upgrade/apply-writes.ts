import type { Layout, Slot } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { ProblemError } from "../base/problem.ts";
import { blockOf, type BootState } from "./boot-state.ts";
import { type Decision, decide, settle, settleAll, type Verb, type Why, type Write } from "./decide.ts";
import { writeGrubenv } from "./grubenv-file.ts";
import { RefusedError } from "./refusals.ts";
import { imageHash, type Knowledge, inspect, type Seen, slotVersion } from "./situation.ts";
import { refuseImage, writeSlotRecord } from "./slot-state.ts";
import { readComplaint } from "./trial-complaint.ts";

/** These functions carry decisions out. The caller holds the upgrade lock from the first inspection to the last write. */

/**
 * Carries out what `settle` asks for, until it asks for nothing more.
 *
 * @throws ProblemError when the machine is not settled after the expected writes
 */
export async function settleMachine(host: Host, layout: Layout): Promise<Seen> {
  let seen = await inspect(host, layout);
  const expected = settleAll(seen.situation);
  for (const write of expected) {
    await carryOut(host, layout, seen, write);
    seen = await inspect(host, layout);
  }
  const [rest] = settle(seen.situation);
  if (rest === undefined) return seen;
  throw new ProblemError({
    code: "boot-state-not-written",
    what: "the boot state did not become what was written",
    found: `${writeText(rest)} would be next`,
    todo: "does someone else write to /boot/grub/grubenv or /boot/config/slots? guestos-boot upgrade status shows what is there",
  });
}

/**
 * Settles, decides and writes.
 *
 * @returns the decision
 * @throws RefusedError when the verb cannot be done now; then nothing was written for it
 */
export async function decideAndWrite(host: Host, layout: Layout, verb: Verb): Promise<Exclude<Decision, { readonly kind: "refused" }>> {
  let seen = await settleMachine(host, layout);
  const decision = decide(verb, seen.situation);
  if (decision.kind === "refused") throw new RefusedError(verb, decision.refusal);
  if (decision.kind === "do") {
    for (const write of decision.writes) {
      await carryOut(host, layout, seen, write);
      seen = await inspect(host, layout);
    }
  }
  return decision;
}

/** Carries out one durable write. */
export async function carryOut(host: Host, layout: Layout, seen: Seen, write: Write): Promise<void> {
  switch (write.kind) {
    case "block":
      await writeGrubenv(host, layout.grubenv, seen.block, blockOf(write.to, seen.grubenv.others));
      return;
    case "refuse": {
      const sha256 = imageHash(seen.slots[write.slot]);
      const reason = await reasonFor(host, layout, seen.slots[write.slot], write.why);
      if (sha256 !== undefined) await refuseImage(host, layout, { sha256, reason, at: now() });
      return;
    }
    case "record":
      await (write.to === "failed"
        ? writeFailed(host, layout, write.slot, seen.slots[write.slot], write.why)
        : writeProven(host, layout, write.slot, seen.slots[write.slot]));
  }
}

async function writeFailed(host: Host, layout: Layout, slot: Slot, before: Knowledge, why: Why): Promise<void> {
  const version = slotVersion(before);
  const sha256 = imageHash(before);
  await writeSlotRecord(host, layout, slot, {
    kind: "failed",
    reason: await reasonFor(host, layout, before, why),
    ...(version === undefined ? {} : { version }),
    ...(sha256 === undefined ? {} : { sha256 }),
    at: now(),
  });
}

async function writeProven(host: Host, layout: Layout, slot: Slot, before: Knowledge): Promise<void> {
  const version = (await host.readText(layout.versionFile))?.trim() ?? "unknown";
  const record = before.kind === "record" && before.record.kind === "installed" ? before.record : undefined;
  const image =
    record === undefined ? {} : { image: { version: record.version, sha256: record.sha256, boot: record.boot, root: record.root } };
  await writeSlotRecord(host, layout, slot, { kind: "proven", version, ...image, at: now() });
}

/** With what the system said of itself, where it is the one that was tried. */
async function reasonFor(host: Host, layout: Layout, before: Knowledge, why: Why): Promise<string> {
  const complaint = why === "not confirmed" && before.kind === "record" ? await readComplaint(host, layout, before.record) : undefined;
  return complaint === undefined ? REASONS[why] : `${REASONS[why]}; it found: ${complaint}`;
}

const REASONS: Readonly<Record<Why, string>> = {
  "not confirmed": "it was started and not confirmed, and the machine went back to the other system",
  "rolled back": "an operator rolled it back before it was confirmed",
};

/** Describes a write, for plans and messages. */
export function writeText(write: Write): string {
  switch (write.kind) {
    case "block":
      return `set the boot loader to: ${bootStateText(write.to)}`;
    case "refuse":
      return `record that the image in slot ${write.slot} must not be installed again: ${REASONS[write.why]}`;
    case "record":
      return write.to === "failed"
        ? `mark slot ${write.slot} as failed: ${REASONS[write.why]}`
        : `mark slot ${write.slot}, which runs and is stable, as proven`;
  }
}

/** For people: "slot B, first_boot, trial of B". */
export function bootStateText({ alternative, cycle, trial }: BootState): string {
  return `slot ${alternative}, ${cycle}${trial === undefined ? "" : `, trial of ${trial}`}`;
}

function now(): string {
  return new Date().toISOString();
}
