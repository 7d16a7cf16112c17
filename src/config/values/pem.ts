import { ProblemError } from "../../base/problem.ts";
import type { Secret } from "../../base/secret.ts";
import { LONGEST_TEXT } from "../text/text-lines.ts";

/**
 * Key files in PEM (RFC 7468), checked by their shape. Not by OpenSSL: the network's public key is a BLS12-381 key, of
 * which OpenSSL knows nothing and would say that it is broken.
 */
const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BIT_STRING = 0x03;

/** @throws ProblemError unless it is one PUBLIC KEY block with a SubjectPublicKeyInfo (RFC 5280, section 4.1) */
export function checkPublicKey(content: Uint8Array, file: string): void {
  const expected = "one PEM block PUBLIC KEY";
  const [block, ...more] = pemBlocks(content, file, expected);
  if (block?.label !== "PUBLIC KEY" || more.length > 0) throw wrong(file, "a public key", labels([block, ...more]), expected);
  const [algorithm, key, ...others] = derElements(block.der) ?? [];
  if (algorithm !== SEQUENCE || key !== BIT_STRING || others.length > 0)
    throw wrong(file, "a public key", "a block with something else in it", "a SubjectPublicKeyInfo");
}

/**
 * @throws ProblemError, which shows nothing of the content, unless it is one unencrypted private key: PKCS#8 (RFC 5208,
 *   RFC 5958), SEC 1 (RFC 5915, with or without the EC PARAMETERS that OpenSSL likes to put before it) or PKCS#1
 */
export function checkPrivateKey(content: Secret, file: string): void {
  const expected = "one PEM block PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY";
  const blocks = pemBlocks(content.expose(), file, expected);
  const [block, ...more] = blocks.filter(({ label }) => label !== "EC PARAMETERS");
  if (block === undefined || more.length > 0 || !/^(EC |RSA )?PRIVATE KEY$/.test(block.label))
    throw wrong(file, "a private key that a node can use", labels(blocks), expected);
  if (derElements(block.der)?.[0] !== INTEGER)
    throw wrong(
      file,
      "a private key",
      "a block with something else in it",
      "a private key in DER (is it encrypted? a node has nobody to ask for the passphrase)",
    );
}

interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
}

function pemBlocks(content: Uint8Array, file: string, expected: string): readonly PemBlock[] {
  if (content.length > LONGEST_TEXT) throw wrong(file, "a key", `${content.length} bytes`, `at most ${LONGEST_TEXT} bytes`);
  const text = Buffer.from(content).toString("latin1");
  const blocks: PemBlock[] = [];
  const rest = text.replaceAll(
    /-----BEGIN ([A-Z0-9 ]{1,64})-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----/g,
    (_, label: string, body: string) => {
      blocks.push({ label, der: Buffer.from(body.replaceAll(/\s/g, ""), "base64") });
      return "";
    },
  );
  if (rest.trim() !== "") throw wrong(file, "a key in PEM", blocks.length === 0 ? "no PEM block" : "text around the PEM block", expected);
  return blocks;
}

/** The tags of what stands directly in a DER SEQUENCE that fills the bytes exactly (X.690), or `undefined` when it is none. */
function derElements(bytes: Buffer): readonly number[] | undefined {
  const outer = derHeader(bytes, 0);
  if (outer?.tag !== SEQUENCE || outer.end !== bytes.length) return undefined;
  const tags: number[] = [];
  for (let offset = outer.start; offset < outer.end;) {
    const element = derHeader(bytes, offset);
    if (element === undefined || element.end > outer.end) return undefined;
    tags.push(element.tag);
    offset = element.end;
  }
  return tags;
}

function derHeader(bytes: Buffer, offset: number): { readonly tag: number; readonly start: number; readonly end: number } | undefined {
  const [tag, length] = bytes.subarray(offset, offset + 2);
  if (tag === undefined || length === undefined) return undefined;
  if (length < 0x80) return { tag, start: offset + 2, end: offset + 2 + length };
  const width = length & 0x7f;
  if (width < 1 || width > 3 || offset + 2 + width > bytes.length) return undefined;
  const start = offset + 2 + width;
  return { tag, start, end: start + bytes.readUIntBE(offset + 2, width) };
}

function labels(blocks: readonly (PemBlock | undefined)[]): string {
  return blocks.map((block) => block?.label ?? "nothing").join(" and ") || "nothing";
}

function wrong(file: string, wanted: string, found: string, expected: string): ProblemError {
  return new ProblemError({
    what: `the file does not hold ${wanted}`,
    where: { file },
    found,
    expected,
    todo: "put in the file as the tool that made the key wrote it",
  });
}
