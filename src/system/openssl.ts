import type { Host } from "./host.ts";

/** openssl's own configuration would decide on extensions and names: what a certificate holds is said here alone. */
const NO_CONFIG = { OPENSSL_CONF: "/dev/null" };
const TODO = "check that openssl is installed and works: openssl version -a";

/**
 * Makes an EC P-256 private key at `file` (PEM, PKCS 8, mode 0600) with openssl-genpkey(1). The folder is best a
 * private one on a tmpfs: the tool writes the file in place.
 *
 * @throws CommandError
 */
export async function generateKey(host: Host, file: string): Promise<void> {
  await host.run({
    program: "openssl",
    args: ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file],
    env: NO_CONFIG,
    todo: TODO,
  });
}

export interface CertificateRequest {
  /** The file that holds the private key. Its name is an argument, its content never. */
  readonly keyFile: string;
  /** Common name, and the one subject alternative name. */
  readonly name: string;
  readonly days: number;
}

/**
 * Signs a TLS server certificate with its own key, with openssl-req(1).
 *
 * @returns the certificate as PEM
 * @throws CommandError
 */
export async function selfSignedCertificate(host: Host, request: CertificateRequest): Promise<string> {
  const { stdout } = await host.run({
    program: "openssl",
    args: selfSignedArguments(request),
    env: NO_CONFIG,
    todo: TODO,
  });
  return stdout;
}

/** A leaf for a server and nothing else: whoever trusts it must not thereby trust what its key signs. */
export function selfSignedArguments({ keyFile, name, days }: CertificateRequest): readonly string[] {
  const extensions = [
    `subjectAltName=DNS:${name}`,
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=serverAuth",
  ];
  return [
    ...["req", "-x509", "-new", "-sha256", "-key", keyFile, "-days", String(days), "-subj", `/CN=${name}`],
    ...extensions.flatMap((extension) => ["-addext", extension]),
  ];
}
