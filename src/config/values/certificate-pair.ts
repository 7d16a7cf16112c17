import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { ProblemError } from "../../base/problem.ts";
import type { Secret } from "../../base/secret.ts";
import { placeAt } from "../text/text-lines.ts";
import { belongTogether } from "./key-pair.ts";

export interface CertificatePair {
  /** A certificate, followed by those that vouch for it, in PEM. */
  readonly chain: Uint8Array;
  readonly chainFile: string;
  readonly key: Secret;
  readonly keyFile: string;
}

const REMEDY = "use the files as the certificate authority issued them";

/**
 * Whether a server could present that certificate. No message shows any part of the key.
 *
 * @param names the names for which it is presented
 * @param now milliseconds since 1970
 * @returns one sentence for each property that is allowed but that some clients refuse: names or a time that it is not valid for
 * @throws ProblemError naming file and line
 */
export function checkCertificatePair(pair: CertificatePair, names: readonly string[], now: number): readonly string[] {
  const { chainFile } = pair;
  const [certificate] = readChain(pair);
  if (certificate === undefined)
    throw new ProblemError({
      code: "no-certificate-in-file",
      what: "the file does not hold a certificate",
      where: { file: chainFile, line: 1, column: 1 },
      ...{ found: "no PEM block CERTIFICATE", expected: "the node's certificate first, then the intermediate ones", todo: REMEDY },
    });
  const key = readKey(pair);
  if (!certificate.checkPrivateKey(key))
    throw new ProblemError({
      code: "key-not-of-certificate",
      what: "the key is not that of the certificate",
      where: { file: pair.keyFile },
      ...{ found: "another key", expected: `the key of the first certificate in ${chainFile}`, todo: REMEDY },
    });
  if (!belongTogether(key, certificate.publicKey))
    throw new ProblemError({
      code: "key-damaged",
      what: "the key is damaged",
      where: { file: pair.keyFile },
      ...{ found: "a key whose signatures do not match its certificate", expected: "the whole key", todo: REMEDY },
    });
  const warnings = names
    .filter((name) => certificate.checkHost(name) === undefined)
    .map((name) => `the certificate in ${chainFile} is not for ${name}: clients that use that name get a warning`);
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  if (now < from) warnings.push(`the certificate in ${chainFile} is not valid before ${certificate.validFrom}`);
  if (now > to) warnings.push(`the certificate in ${chainFile} has expired: it was valid until ${certificate.validTo}`);
  return warnings;
}

function readChain({ chain, chainFile }: CertificatePair): readonly X509Certificate[] {
  const text = Buffer.from(chain).toString("latin1");
  const blocks = [...text.matchAll(/-----BEGIN CERTIFICATE-----[^-]*(-----END CERTIFICATE-----)?/g)];
  return blocks.map(({ 0: block, index }) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new ProblemError({
        code: "certificate-unreadable",
        what: "a certificate cannot be read",
        where: { file: chainFile, ...placeAt(text, index), column: 1 },
        ...{ found: "a damaged PEM block", expected: "a certificate in PEM (RFC 7468)", todo: REMEDY },
      });
    }
  });
}

function readKey({ key, keyFile }: CertificatePair): KeyObject {
  try {
    return createPrivateKey(Buffer.from(key.expose()));
  } catch {
    throw new ProblemError({
      code: "private-key-not-usable",
      what: "the file does not hold a private key that can be used",
      where: { file: keyFile, line: 1, column: 1 },
      ...{ found: "something else, or a key with a passphrase", expected: "a private key in PEM, without a passphrase", todo: REMEDY },
    });
  }
}
