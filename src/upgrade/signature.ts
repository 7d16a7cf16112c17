import { createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { foreignWords } from "../base/foreign-words.ts";
import type { Host } from "../system/host.ts";
import { ProblemError } from "../base/problem.ts";

/**
 * A detached signature: two lines of text that name the image's SHA-256 and sign it. The hash is in the signature, so
 * a forged signature is refused before the first byte of the image is read. From then on, the check is the same as
 * with --sha256.
 *
 *   sha256: 64 hexadecimal digits
 *   ed25519: the signature, base64
 */
export interface SignedHash {
  readonly sha256: string;
  /** The file of the public key that verifies it. */
  readonly key: string;
}

const TEXT = /^sha256: ([0-9a-f]{64})\r?\ned25519: ([A-Za-z0-9+/]{86}==)\r?\n?$/;

/** The signed text. Its first line keeps a signature made for another purpose from being accepted for an image. */
function statement(sha256: string): Buffer {
  return Buffer.from(`guestos-boot update image\nsha256: ${sha256}\n`);
}

/** The text of a signature file. @param key Ed25519, private */
export function signatureText(sha256: string, key: KeyObject): string {
  return `sha256: ${sha256}\ned25519: ${sign(null, statement(sha256), key).toString("base64")}\n`;
}

/**
 * Checks a signature file against the keys of this machine.
 *
 * @param file the signature
 * @param folder with the public keys, Ed25519, as PEM files named *.pem
 * @throws ProblemError when the file is missing or no signature, there are no keys, a key cannot be read, or none fits
 */
export async function readSignature(host: Host, file: string, folder: string): Promise<SignedHash> {
  const text = await host.readText(file);
  if (text === undefined)
    throw new ProblemError({ code: "signature-missing", what: "there is no signature", where: { file }, found: "no such file" });
  const [, sha256 = "", signature = ""] = TEXT.exec(text) ?? [];
  if (sha256 === "") {
    throw new ProblemError({
      code: "not-a-signature",
      what: "this is no signature of an image",
      where: { file },
      expected: "two lines: sha256: and 64 digits, ed25519: and the signature in base64",
      todo: "give the file that was made together with the image",
    });
  }
  const keys = await publicKeys(host, folder);
  const found = keys.find(({ key }) => verify(null, statement(sha256), key, Buffer.from(signature, "base64")));
  if (found !== undefined) return { sha256, key: found.file };
  throw new ProblemError({
    code: "signature-not-ours",
    what: "the signature was made with none of this machine's keys, or was changed",
    where: { file },
    found: `no match with ${keys.map(({ file: name }) => name).join(", ")}`,
    expected: "a signature by one of them",
    todo: `is the image meant for this machine? its keys are in ${folder}`,
  });
}

async function publicKeys(host: Host, folder: string): Promise<readonly { readonly file: string; readonly key: KeyObject }[]> {
  const names = ((await host.list(folder)) ?? []).filter((name) => name.endsWith(".pem"));
  if (names.length === 0) {
    throw new ProblemError({
      code: "no-signature-keys",
      what: "a signature cannot be checked, because this machine has no keys",
      where: { file: folder },
      found: "no *.pem",
      todo: "put the public key there, or give --sha256",
    });
  }
  return Promise.all(
    names.map(async (name) => {
      const file = join(folder, name);
      const bad = (found: string): ProblemError =>
        new ProblemError({
          code: "public-key-unreadable",
          what: "a public key cannot be read",
          where: { file },
          found,
          expected: "an Ed25519 public key, PEM",
        });
      let key: KeyObject;
      try {
        key = createPublicKey((await host.readText(file)) ?? "");
      } catch (error) {
        throw bad(foreignWords(error));
      }
      if (key.asymmetricKeyType !== "ed25519") throw bad(`a key of type ${key.asymmetricKeyType ?? "unknown"}`);
      return { file, key };
    }),
  );
}
