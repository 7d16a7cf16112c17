/**
 * What a host does with a guest's GRUB environment block when it boots the guest's kernel itself: rs/ic_os/grub of IC-OS, whose rules
 * docs/orchestrator.md states. Written from those rules alone, and not with the product's code, so that the two can be held against each
 * other.
 */
export interface HostBoot {
  readonly slot: "A" | "B";
  /** The cycle that the slot is booted in, and finds. */
  readonly cycle: string;
  /** The block that the host writes; undefined where it writes none. */
  readonly block: Uint8Array | undefined;
}

const BYTES = 1024;
const ALTERNATIVES = ["A", "B"];
/** What the host makes of each cycle, and whether it goes to the other slot. */
const NEXT: Readonly<Record<string, { readonly cycle: string; readonly flips?: true }>> = {
  stable: { cycle: "stable" },
  install: { cycle: "stable" },
  first_boot: { cycle: "failsafe_check" },
  failsafe_check: { cycle: "stable", flips: true },
};

/** @throws Error where the host would start no machine: a file that is not UTF-8, or a value that it does not know */
export function hostBoot(block: Uint8Array): HostBoot {
  let alternative: string | undefined;
  let cycle: string | undefined;
  const others: string[] = [];
  for (const line of new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(block).split("\n")) {
    const [, key, value] = /[\t\v\f\r ]*(\w+)[\t\v\f\r ]*=[\t\v\f\r ]*([^#\t\v\f\r ]*)/.exec(line) ?? [];
    if (key === "boot_alternative") alternative = value;
    else if (key === "boot_cycle") cycle = value;
    else if (key !== undefined) others.push(`${key}=${value}`);
  }
  const found = alternative ?? "A";
  const next = NEXT[cycle ?? "stable"];
  if (!ALTERNATIVES.includes(found)) throw new Error(`invalid boot_alternative: ${found}`);
  if (next === undefined) throw new Error(`invalid boot_cycle: ${cycle}`);
  const slot = (found === "A") === (next.flips === undefined) ? "A" : "B";
  if (slot === alternative && next.cycle === cycle) return { slot, cycle, block: undefined };
  const lines = ["# GRUB Environment Block", `boot_alternative=${slot}`, `boot_cycle=${next.cycle}`, ...others];
  const text = lines.map((line) => `${line}\n`).join("");
  if (Buffer.byteLength(text) > BYTES) throw new Error("the block is too large");
  return { slot, cycle: next.cycle, block: Buffer.concat([Buffer.from(text), Buffer.alloc(BYTES, "#")]).subarray(0, BYTES) };
}
