import type { Layout } from "../../config/layout/layout.ts";
import { readIntent } from "../../config/state/intent.ts";
import { requirePartition } from "../../system/disks/block-devices.ts";
import { luksKeyFits } from "../../system/disks/cryptsetup.ts";
import type { Host } from "../../system/host.ts";
import {
  luksAddPassphrase,
  luksRemoveSlot,
  type LuksSlots,
  readLuksSlots,
  removeLuksToken,
  writeLuksToken,
} from "../../system/disks/luks-slots.ts";
import { ProblemError } from "../../base/problem.ts";
import type { Secret } from "../../base/secret.ts";
import { keyRing } from "./key-ring.ts";
import { type Marked, markedSlots, planPassphrase, RECOVERY_TOKEN } from "./recovery-plan.ts";

/**
 * The recovery passphrase of an encrypted device: an additional key slot, marked in the header itself. So every backup of the header has it
 * too. No unit uses it: a node boots by its key alone.
 */
export interface Recovery {
  readonly host: Host;
  readonly device: string;
  /** The device's own key. Its slot is never touched. */
  readonly key: Secret;
}

/** For the store. @throws ProblemError unless it is complete: one that was only begun may be encrypted again */
export async function storeRecovery(host: Host, layout: Layout): Promise<Recovery> {
  const { device } = await requirePartition(host, layout.partitions.store);
  const intent = await readIntent(host, layout.config.intents, "store");
  if (intent?.phase === "complete") return { host, device, key: await keyRing().deviceKey(host, layout, "store") };
  throw new ProblemError({
    code: "store-not-set-up",
    what: "the store is not set up yet; nothing was changed",
    found: intent === undefined ? "no intent" : "an intent that was begun",
    todo: "set it up: guestos-boot --unit store-key",
  });
}

/** The state of a device's recovery passphrase, as its header says. */
export async function recoveryState(host: Host, device: string): Promise<Marked["state"]> {
  return markedSlots(await readLuksSlots(host, device)).state;
}

/**
 * Makes this the only recovery passphrase. The former one is removed once the new one has opened the device, so a power cut leaves at least
 * one of them. A second call finishes a change that was cut off.
 *
 * @returns "unchanged" when it was the passphrase already
 * @throws ProblemError when it does not open the device in the end
 */
export async function setRecovery(recovery: Recovery, passphrase: Secret): Promise<"added" | "replaced" | "finished" | "unchanged"> {
  const { host, device, key } = recovery;
  const { header, marked } = await inspect(recovery);
  const fitting: number[] = [];
  for (const slot of marked.slots) if (await luksKeyFits(host, device, passphrase, slot)) fitting.push(slot);
  const plan = planPassphrase(header, marked, fitting);
  if (plan.kind === "unchanged") return "unchanged";
  if (plan.kind === "add") {
    await writeLuksToken(host, device, { type: RECOVERY_TOKEN, slots: marked.slots, next: plan.slot }, marked.token);
    await luksAddPassphrase(host, device, plan.slot, key, passphrase);
  }
  const { former } = plan;
  const slot = plan.kind === "add" ? plan.slot.number : plan.slot;
  await requireFits(recovery, passphrase, slot, "the new passphrase");
  for (const old of former) await luksRemoveSlot(host, device, old, key);
  const { marked: left } = await inspect(recovery);
  await writeLuksToken(host, device, { type: RECOVERY_TOKEN, slots: [slot], next: undefined }, left.token);
  await requireFits(recovery, passphrase, slot, "the new passphrase");
  await requireFits(recovery, key, undefined, "the device's own key");
  if (plan.kind === "finish") return "finished";
  return former.length > 0 ? "replaced" : "added";
}

/** Removes the recovery passphrase. @returns whether there was one */
export async function removeRecovery(recovery: Recovery): Promise<boolean> {
  const { host, device, key } = recovery;
  const { marked } = await inspect(recovery);
  // The token is removed last: while a slot exists, the token says that the slot is the recovery passphrase's.
  for (const slot of marked.slots) await luksRemoveSlot(host, device, slot, key);
  if (marked.token !== undefined) await removeLuksToken(host, device, marked.token);
  return marked.slots.length > 0;
}

/** @throws ProblemError if the device's own key does not open it, or if the token marks the slot of that key */
async function inspect(recovery: Recovery): Promise<{ readonly header: LuksSlots; readonly marked: Marked }> {
  const { host, device, key } = recovery;
  await requireFits(recovery, key, undefined, "the device's own key");
  const header = await readLuksSlots(host, device);
  const marked = markedSlots(header);
  for (const slot of marked.slots) {
    if (!(await luksKeyFits(host, device, key, slot))) continue;
    throw new ProblemError({
      code: "recovery-slot-is-own",
      what: `key slot ${slot} of ${device} is marked as that of the recovery passphrase, and it is that of the node's own key; nothing was changed`,
      todo: `cryptsetup luksDump ${device} shows the mark; remove it alone: cryptsetup token remove --token-id ${marked.token} ${device}`,
    });
  }
  return { header, marked };
}

async function requireFits({ host, device }: Recovery, secret: Secret, slot: number | undefined, what: string): Promise<void> {
  if (await luksKeyFits(host, device, secret, slot)) return;
  throw new ProblemError({
    code: "device-not-opened",
    what: `${what} does not open ${device}`,
    found: slot === undefined ? "no key slot that it opens" : `key slot ${slot}, which it does not fit`,
    todo: `do not restart before this is understood: cryptsetup luksDump ${device}`,
  });
}
