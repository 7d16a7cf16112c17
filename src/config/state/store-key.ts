import { createHash } from "node:crypto";
import { ProblemError } from "../../base/problem.ts";
import { Secret } from "../../base/secret.ts";
import type { Argon2Parameters } from "../../system/argon2.ts";

/**
 * The content of store.keyfile. It is either ours, with the parameters of its derivation in a header, or the raw bytes of a node that the
 * shell chain provisioned. Raw bytes are the LUKS key themselves.
 *
 *     guestos-boot-key v=1 kdf=argon2id m=8192 t=1 p=1 salt=<32 hex digits>\n  <32 bytes>  <8 bytes: start of the SHA-256 of all before>
 */
export type StoreKey =
  | { readonly kind: "raw"; readonly secret: Secret }
  | { readonly kind: "derived"; readonly secret: Secret; readonly parameters: DerivationParameters };

type DerivationParameters = Omit<Argon2Parameters, "length">;

const MAGIC = "guestos-boot-key ";
const HEADER = /^guestos-boot-key v=1 kdf=argon2id m=(\d{1,7}) t=(\d{1,3}) p=(\d{1,2}) salt=([0-9a-f]{32})\n/;
const SECRET_BYTES = 32;
const CHECK_BYTES = 8;
/** A shorter raw key was cut off, or is not a key. */
const SHORTEST_RAW = 16;
const LONGEST = 8192;

export function encodeStoreKey(secret: Uint8Array, { salt, memoryKiB, passes, parallelism }: DerivationParameters): Uint8Array {
  const header = `${MAGIC}v=1 kdf=argon2id m=${memoryKiB} t=${passes} p=${parallelism} salt=${Buffer.from(salt).toString("hex")}\n`;
  const body = Buffer.concat([Buffer.from(header), secret]);
  return Buffer.concat([body, checkOf(body)]);
}

/** @throws ProblemError when the file is empty, only zeros, cut off or damaged. It is never replaced then, because it may encrypt data */
export function parseStoreKey(content: Uint8Array, file: string): StoreKey {
  const bytes = Buffer.from(content);
  const refused = (found: string): ProblemError =>
    new ProblemError({
      code: "store-key-damaged",
      what: "the store key is damaged",
      where: { file },
      found,
      expected: "the key file as it was made",
      todo: "restore it from a backup of the config partition; without it the store and /var cannot be opened",
    });
  if (!bytes.subarray(0, MAGIC.length).equals(Buffer.from(MAGIC))) {
    if (bytes.length < SHORTEST_RAW || bytes.length > LONGEST) throw refused(`${bytes.length} bytes`);
    // A power cut may leave a file its size but none of its content. Anyone could read data encrypted with such a key.
    if (bytes.every((byte) => byte === 0)) throw refused(`${bytes.length} zeros`);
    return { kind: "raw", secret: new Secret(bytes) };
  }
  const header = HEADER.exec(bytes.toString("latin1", 0, 200));
  const [text, memory, passes, parallelism, salt] = header ?? [];
  if (text === undefined || memory === undefined || passes === undefined || parallelism === undefined || salt === undefined)
    throw refused("a header that cannot be read");
  const body = bytes.subarray(0, text.length + SECRET_BYTES);
  if (bytes.length !== text.length + SECRET_BYTES + CHECK_BYTES) throw refused(`${bytes.length} bytes`);
  if (!checkOf(body).equals(bytes.subarray(body.length))) throw refused("bytes that do not match their check sum");
  return {
    kind: "derived",
    secret: new Secret(body.subarray(text.length)),
    parameters: { salt: Buffer.from(salt, "hex"), memoryKiB: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
  };
}

function checkOf(body: Uint8Array): Buffer {
  return createHash("sha256").update(body).digest().subarray(0, CHECK_BYTES);
}
