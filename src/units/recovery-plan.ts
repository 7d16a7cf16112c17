import type { LuksSlots } from "../system/luks-slots.ts";
import { ProblemError } from "../system/problem.ts";

/** Type of the LUKS2 token that marks the key slot of the recovery passphrase. */
export const RECOVERY_TOKEN = "guestos-boot-recovery";

/** LUKS2 On-Disk Format Specification 1.1: a header has at most 32 key slots. */
const MOST_SLOTS = 32;

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
      what: "two tokens of the LUKS header mark the slot of a recovery passphrase",
      found: `tokens ${token?.id} and ${second.id}`,
      expected: "one",
      todo: "remove the wrong one: cryptsetup token remove --token-id NUMBER DEVICE",
    });
  }
  if (token === undefined) return { token: undefined, slots: [], state: "none" };
  // The one that was announced may be there, or not yet.
  const named = new Set([...token.slots, ...(token.next === undefined ? [] : [token.next])]);
  const there = slots.filter((slot) => named.has(slot));
  return { token: token.id, slots: there, state: token.next === undefined && there.length === 1 ? "set" : "unfinished" };
}

export type PassphrasePlan =
  | { readonly kind: "unchanged" }
  /** `add`: into that free slot. `finish`: that slot has it already. Then the former ones go. */
  | { readonly kind: "add" | "finish"; readonly slot: number; readonly former: readonly number[] };

/** @param fitting the marked slots that the passphrase opens. @throws ProblemError when no slot is free */
export function planPassphrase({ slots }: LuksSlots, marked: Marked, fitting: readonly number[]): PassphrasePlan {
  const [fits] = fitting;
  if (fits !== undefined) {
    if (marked.state === "set") return { kind: "unchanged" };
    return { kind: "finish", slot: fits, former: marked.slots.filter((slot) => slot !== fits) };
  }
  const free = Array.from({ length: MOST_SLOTS }, (_, slot) => slot).find((slot) => !slots.includes(slot));
  if (free === undefined) {
    throw new ProblemError({
      what: "the LUKS header has no free key slot; nothing was changed",
      todo: "cryptsetup luksDump shows the slots; remove one that is not needed: cryptsetup luksKillSlot DEVICE NUMBER",
    });
  }
  return { kind: "add", slot: free, former: marked.slots };
}
