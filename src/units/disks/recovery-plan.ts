import { randomInt } from "node:crypto";
import type { AnnouncedSlot, LuksSlot, LuksSlots } from "../../system/disks/luks-slots.ts";
import { ProblemError } from "../../base/problem.ts";

/** Type of the LUKS2 token that marks the key slot of the recovery passphrase. */
export const RECOVERY_TOKEN = "guestos-boot-recovery";

/** LUKS2 On-Disk Format Specification 1.1: a header has at most 32 key slots. */
const MOST_SLOTS = 32;

/** KiB of memory for stretching the passphrase: RFC 9106's 64 MiB, and up to 8 MiB more, by which an announced slot is recognised. */
export const MEMORY = 65_536;
export const MEMORIES = 8192;

export interface Marked {
  /** Number of the token; `undefined` when there is none. */
  readonly token: number | undefined;
  /** The existing slots of a recovery passphrase: finished, former, or just begun. */
  readonly slots: readonly number[];
  /** `unfinished`: setting, replacing or removing a passphrase was cut off. */
  readonly state: "none" | "set" | "unfinished";
}

/** The slots that the header marks. @throws ProblemError when two tokens mark slots: only an operator can decide which one is right */
export function markedSlots({ slots, tokens }: LuksSlots): Marked {
  const [token, second] = tokens.filter(({ type }) => type === RECOVERY_TOKEN);
  if (second !== undefined) {
    throw new ProblemError({
      code: "recovery-slot-ambiguous",
      what: "two tokens of the LUKS header mark the slot of a recovery passphrase",
      found: `tokens ${token?.id} and ${second.id}`,
      expected: "one",
      todo: "remove the wrong one: cryptsetup token remove --token-id NUMBER DEVICE",
    });
  }
  if (token === undefined) return { token: undefined, slots: [], state: "none" };
  // The announced slot may exist or not. If its memory differs, another program has made a slot there since.
  const isOurs = ({ number, memory }: LuksSlot): boolean =>
    token.slots.includes(number) || (number === token.next?.number && memory === token.next.memory);
  const there = slots.filter(isOurs).map(({ number }) => number);
  return { token: token.id, slots: there, state: token.next === undefined && there.length === 1 ? "set" : "unfinished" };
}

export type PassphrasePlan =
  | { readonly kind: "unchanged" }
  /** The passphrase goes into that free slot; then the former slots are removed. */
  | { readonly kind: "add"; readonly slot: AnnouncedSlot; readonly former: readonly number[] }
  /** That slot has the passphrase already; the former slots are removed. */
  | { readonly kind: "finish"; readonly slot: number; readonly former: readonly number[] };

/** @param fitting the marked slots that the passphrase opens. @throws ProblemError when no slot is free */
export function planPassphrase({ slots }: LuksSlots, marked: Marked, fitting: readonly number[]): PassphrasePlan {
  const [fits] = fitting;
  if (fits !== undefined) {
    if (marked.state === "set") return { kind: "unchanged" };
    return { kind: "finish", slot: fits, former: marked.slots.filter((slot) => slot !== fits) };
  }
  const free = Array.from({ length: MOST_SLOTS }, (_, slot) => slot).find((slot) => slots.every(({ number }) => number !== slot));
  if (free === undefined) {
    throw new ProblemError({
      code: "no-free-key-slot",
      what: "the LUKS header has no free key slot; nothing was changed",
      todo: "cryptsetup luksDump shows the slots; remove one that is not needed: cryptsetup luksKillSlot DEVICE NUMBER",
    });
  }
  return { kind: "add", slot: { number: free, memory: MEMORY + randomInt(MEMORIES) }, former: marked.slots };
}
