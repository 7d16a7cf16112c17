import * as z from "../../base/schema.ts";
import type { Host } from "../host.ts";
import { ProblemError } from "../../base/problem.ts";
import { Secret } from "../../base/secret.ts";
import { jsonIn } from "../../base/json.ts";

/** Key slots and tokens of a LUKS2 header, as cryptsetup numbers them. */
export interface LuksSlots {
  readonly slots: readonly LuksSlot[];
  readonly tokens: readonly LuksToken[];
}

export interface LuksSlot {
  readonly number: number;
  /** KiB that argon2 uses for it; absent for another key derivation. */
  readonly memory: number | undefined;
}

export interface LuksToken {
  readonly id: number;
  readonly type: string;
  /** The slots that it names. cryptsetup removes deleted slots from this list, and refuses missing ones. */
  readonly slots: readonly number[];
  /** A field of our own: a slot that is about to be made, and the memory that identifies it. */
  readonly next: AnnouncedSlot | undefined;
}

export type AnnouncedSlot = { readonly [Key in keyof LuksSlot]: number };

/** LUKS2 On-Disk Format Specification 1.1, section 3: numbers are object names, so they are strings. */
const Numbered = z.pipe(z.string().check(z.regex(/^\d{1,2}$/)), z.transform(Number));
const Header = z.object({
  keyslots: z.record(z.string(), z.object({ kdf: z.object({ memory: z.optional(z.number()) }) })),
  tokens: z.record(
    z.string(),
    z.object({
      type: z.string(),
      keyslots: z.array(Numbered),
      next: z.optional(z.object({ number: Numbered, memory: z.number() })),
    }),
  ),
});

/** @throws CommandError when the device is not LUKS2 */
export async function readLuksSlots(host: Host, device: string): Promise<LuksSlots> {
  const { stdout } = await host.run({ program: "cryptsetup", args: ["luksDump", "--dump-json-metadata", device] });
  return parseLuksSlots(stdout, device);
}

/** @throws ProblemError for text that cannot be parsed */
function parseLuksSlots(text: string, device: string): LuksSlots {
  const parsed = Header.safeParse(jsonIn(text));
  if (!parsed.success) {
    throw new ProblemError({
      code: "luks-slots-unreadable",
      what: `cannot read the key slots of ${device}`,
      found: z.prettifyError(parsed.error),
      todo: `cryptsetup luksDump ${device} shows them`,
    });
  }
  const { keyslots, tokens } = parsed.data;
  return {
    slots: Object.entries(keyslots).map(([number, { kdf }]) => ({ number: Number(number), memory: kdf.memory })),
    tokens: Object.entries(tokens).map(([id, { type, keyslots: slots, next }]) => ({ id: Number(id), type, slots, next })),
  };
}

/**
 * Adds a passphrase that a person types, in that slot. RFC 9106, section 4, second choice: argon2id, 64 MiB, 3 passes, 4 lanes.
 * cryptsetup(8) requires at least 4 passes, and uses no more lanes than there are processors.
 *
 * @param slot with at least those 64 MiB
 */
export async function luksAddPassphrase(
  host: Host,
  device: string,
  { number, memory }: AnnouncedSlot,
  key: Secret,
  passphrase: Secret,
): Promise<void> {
  const pbkdf = ["--pbkdf", "argon2id", "--pbkdf-memory", String(memory), "--pbkdf-parallel", "4", "--pbkdf-force-iterations", "4"];
  const keyBytes = key.expose();
  // Both by standard input: the first `--keyfile-size` bytes are the key, the rest is the passphrase.
  const which = ["--key-slot", String(number), "--key-file", "-", "--keyfile-size", String(keyBytes.length)];
  await host.run({
    program: "cryptsetup",
    args: ["luksAddKey", "--batch-mode", ...pbkdf, ...which, device, "-"],
    input: new Secret(Buffer.concat([keyBytes, passphrase.expose()])),
  });
}

/** Removes a key slot. @param key of another slot: cryptsetup refuses to remove the last one that it opens */
export async function luksRemoveSlot(host: Host, device: string, slot: number, key: Secret): Promise<void> {
  await host.run({ program: "cryptsetup", args: ["luksKillSlot", "--key-file", "-", device, String(slot)], input: key });
}

/** Writes a token. It replaces the token with the number `replaced`, if given. */
export async function writeLuksToken(
  host: Host,
  device: string,
  token: Omit<LuksToken, "id">,
  replaced: number | undefined,
): Promise<void> {
  const place = replaced === undefined ? [] : ["--token-id", String(replaced), "--token-replace"];
  const { type, slots, next } = token;
  const content = {
    type,
    keyslots: slots.map(String),
    ...(next === undefined ? {} : { next: { number: String(next.number), memory: next.memory } }),
  };
  await host.run({
    program: "cryptsetup",
    args: ["token", "import", ...place, "--json-file", "-", device],
    input: JSON.stringify(content),
  });
}

export async function removeLuksToken(host: Host, device: string, id: number): Promise<void> {
  await host.run({ program: "cryptsetup", args: ["token", "remove", "--token-id", String(id), device] });
}
