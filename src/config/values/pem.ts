import { ProblemError } from "../../base/problem.ts";
import type { Secret } from "../../base/secret.ts";
import { LONGEST_TEXT } from "../text/text-lines.ts";

/**
 * Key files in PEM (RFC 7468), checked by their structure. Not by OpenSSL: the network's public key is a BLS12-381 key, which OpenSSL does
 * not know and would report as damaged.
 */
const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const DASH = 0x2d;

/**
 * The replica takes the first line as the beginning of the block, and the last line that is not blank as its end. So no text may be around
 * it (rs/crypto/utils/threshold_sig_der of dfinity/ic, parse_threshold_sig_key).
 *
 * @throws ProblemError unless it is one PUBLIC KEY block with a SubjectPublicKeyInfo (RFC 5280, section 4.1)
 */
export function checkPublicKey(content: Uint8Array, file: string): void {
  const expected = "one PEM block PUBLIC KEY, from the first line on";
  const { blocks, around } = pemBlocks(content, file, expected);
  const [block, ...more] = blocks;
  if (block?.label !== "PUBLIC KEY" || more.length > 0) throw wrong(file, "a public key", labels(blocks), expected);
  if (around.trim() !== "" || content[0] !== DASH) throw wrong(file, "a public key", "text around the PEM block", expected);
  const [algorithm, key, ...others] = derElements(block.der) ?? [];
  if (algorithm !== SEQUENCE || key !== BIT_STRING || others.length > 0)
    throw wrong(file, "a public key", "a block with other content", "a SubjectPublicKeyInfo");
}

/**
 * Text around the block is allowed, as openssl-pkcs12(1) writes it ("Bag Attributes"): RFC 7468, section 5.2, lets parsers ignore it.
 *
 * @throws ProblemError, which shows no part of the content, unless it is one unencrypted private key: PKCS#8 (RFC 5208, RFC 5958), SEC 1
 *   (RFC 5915, with or without the EC PARAMETERS that OpenSSL often puts before it) or PKCS#1
 */
export function checkPrivateKey(content: Secret, file: string): void {
  const expected = "one PEM block PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY";
  const { blocks } = pemBlocks(content.expose(), file, expected);
  const [block, ...more] = blocks.filter(({ label }) => label !== "EC PARAMETERS");
  if (block === undefined || more.length > 0 || !/^(EC |RSA )?PRIVATE KEY$/.test(block.label))
    throw wrong(file, "a private key that a node can use", labels(blocks), expected);
  if (derElements(block.der)?.[0] !== INTEGER)
    throw wrong(
      file,
      "a private key",
      "a block with other content",
      "a private key in DER (is it encrypted? a node has no one to ask for the passphrase)",
    );
}

interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
}

interface PemBlocks {
  readonly blocks: readonly PemBlock[];
  /** The text outside the blocks. */
  readonly around: string;
}

/** Accepts only canonical base64 in the bodies: Buffer also accepts other forms, which other programs refuse. */
function pemBlocks(content: Uint8Array, file: string, expected: string): PemBlocks {
  if (content.length > LONGEST_TEXT) throw wrong(file, "a key", `${content.length} bytes`, `at most ${LONGEST_TEXT} bytes`);
  const blocks: PemBlock[] = [];
  const around = Buffer.from(content)
    .toString("latin1")
    .replaceAll(
      /^-----BEGIN ([A-Z0-9 ]{1,64})-----\r?\n([A-Za-z0-9+/=\r\n]+)\n-----END \1-----\r?$/gm,
      (_, label: string, body: string) => {
        const der = decoded(body);
        if (der === undefined) throw wrong(file, "a key in PEM", "a block that is not valid base64", expected);
        blocks.push({ label, der });
        return "";
      },
    );
  if (blocks.length === 0) throw wrong(file, "a key in PEM", "no PEM block", expected);
  if (around.includes("-----")) throw wrong(file, "a key in PEM", "a damaged PEM block", expected);
  return { blocks, around };
}

/** The bytes of a block's body; `undefined` unless it is their canonical base64 (RFC 4648, section 3.5), broken into lines. */
function decoded(body: string): Buffer | undefined {
  const base64 = body.replaceAll(/\s/g, "");
  const der = Buffer.from(base64, "base64");
  return der.toString("base64") === base64 ? der : undefined;
}

const BLOCKS = /-----BEGIN ([A-Z0-9 ]{1,64})-----\s([A-Za-z0-9+/=\s]+)-----END \1-----/g;

/**
 * The blocks of a text in the form that every program reads (RFC 7468, section 3, the strict grammar): lines of 64 characters, line feeds,
 * and no text around them. For a parser that is stricter than OpenSSL's, such as Go's encoding/pem.
 *
 * @returns "" when there is none
 */
export function plainPem(text: string): string {
  return [...text.matchAll(BLOCKS)].map(([, label = "", body = ""]) => plainBlock(label, body)).join("");
}

function plainBlock(label: string, body: string): string {
  return `-----BEGIN ${label}-----\n${body.replaceAll(/\s/g, "").replaceAll(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;
}

/** The first block of that label in its plain form; `undefined` when there is none. */
export function pemBlock(text: string, label: string): string | undefined {
  const [, , body] = [...text.matchAll(BLOCKS)].find(([, name]) => name === label) ?? [];
  return body === undefined ? undefined : plainBlock(label, body);
}

/** The tags of the direct elements of a DER SEQUENCE that fills the bytes exactly (X.690); `undefined` for any other bytes. */
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

function labels(blocks: readonly PemBlock[]): string {
  return blocks.map(({ label }) => label).join(" and ");
}

function wrong(file: string, wanted: string, found: string, expected: string): ProblemError {
  return new ProblemError({
    code: "wrong-file-content",
    what: `the file does not hold ${wanted}`,
    where: { file },
    found,
    expected,
    todo: "use the file as the tool that made the key wrote it",
  });
}
