import { randomInt } from "node:crypto";
import type { AnnouncedSlot, LuksSlot, LuksSlots } from "../../system/disks/luks-slots.ts";
import { ProblemError } from "../../base/problem.ts";

/** Type of the LUKS2 token that marks the key slot of the recovery passphrase. */
export const RECOVERY_TOKEN = "guestos-boot-recovery";

/** LUKS2 On-Disk Format Specification 1.1: a header has at most 32 key slots. */
const MOST_SLOTS = 32;

/** KiB that stretching the passphrase takes: RFC 9106's 64 MiB, and up to 8 more, by which a slot that was announced is known again. */
export const MEMORY = 65_536;
export const MEMORIES = 8192;

export interface Marked {
  /** Number of the token; absent when there is none. */
  readonly token: number | undefined;
  /** The slots that are there and belong to a recovery passphrase: finished, former, or just begun. */
  readonly slots: readonly number[];
  /** `unfinished`: setting, replacing or removing one was cut off. */
  readonly state: "none" | "set" | "unfinished";
}

/** Which slots the header marks. @throws ProblemError when two tokens do: then nobody can say which one is right */
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
  // The one that was announced may be there, or not yet. Of another memory, it was made by somebody else since.
  const isOurs = ({ number, memory }: LuksSlot): boolean =>
    token.slots.includes(number) || (number === token.next?.number && memory === token.next.memory);
  const there = slots.filter(isOurs).map(({ number }) => number);
  return { token: token.id, slots: there, state: token.next === undefined && there.length === 1 ? "set" : "unfinished" };
}

export type PassphrasePlan =
  | { readonly kind: "unchanged" }
  /** Into that free slot; then the former ones go. */
  | { readonly kind: "add"; readonly slot: AnnouncedSlot; readonly former: readonly number[] }
  /** That slot has it already; the former ones go. */
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
