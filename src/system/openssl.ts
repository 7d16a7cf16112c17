import { join } from "node:path";
import type { Host } from "./host.ts";

/** Without this, openssl's own configuration would decide on extensions and names. Only this file decides them. */
const NO_CONFIG = { OPENSSL_CONF: "/dev/null" };
const TODO = "check that openssl is installed and works: openssl version -a";

/**
 * Makes an EC P-256 private key at `file` (PEM, PKCS 8, mode 0600) with openssl-genpkey(1). Choose a private folder on a tmpfs: the tool
 * writes the file in place.
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
  /** The file that holds the private key. Its name is an argument, its content never is. */
  readonly keyFile: string;
  /** The common name, and the only subject alternative name. */
  readonly name: string;
  readonly from: Date;
  readonly until: Date;
  /** A private, empty folder for the files that openssl-ca(1) keeps beside a certificate. */
  readonly folder: string;
}

/**
 * Signs a TLS server certificate with its own key. Uses openssl-ca(1), because it alone sets the first day of validity in every release of
 * OpenSSL 3: openssl-req(1) has -not_before from 3.4 on.
 *
 * @returns the certificate as PEM
 * @throws CommandError
 */
export async function selfSignedCertificate(host: Host, { keyFile, name, from, until, folder }: CertificateRequest): Promise<string> {
  const openssl = async (args: readonly string[]): Promise<string> =>
    (await host.run({ program: "openssl", args, cwd: folder, env: NO_CONFIG, todo: TODO })).stdout;
  await host.writeFile(join(folder, "ca.conf"), caConfig(name), { mode: 0o600 });
  await host.writeFile(join(folder, DATABASE), "", { mode: 0o600 });
  await openssl(["req", "-new", "-sha256", "-key", keyFile, "-subj", `/CN=${name}`, "-out", "request.pem"]);
  return openssl([
    ...["ca", "-batch", "-notext", "-config", "ca.conf", "-selfsign", "-keyfile", keyFile, "-in", "request.pem"],
    ...["-startdate", asn1Time(from), "-enddate", asn1Time(until)],
  ]);
}

const DATABASE = "database";

/** A leaf certificate for a server only: a client that trusts it must not thereby trust certificates that its key signs. */
function caConfig(name: string): string {
  return `[ca]
default_ca = self
[self]
database = ${DATABASE}
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = server
[any]
commonName = supplied
[server]
subjectAltName = DNS:${name}
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
`;
}

/** GeneralizedTime in UTC, to the second: 20261129162504Z. OpenSSL writes the form that RFC 5280, 4.1.2.5, requires. */
function asn1Time(date: Date): string {
  return date.toISOString().replaceAll(/[-:T]|\.\d+/g, "");
}
