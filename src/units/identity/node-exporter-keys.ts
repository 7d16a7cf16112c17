import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { type Action, provision } from "../../boot/unit.ts";
import type { Layout } from "../../config/layout/layout.ts";
import { groupNamed, readAccounts } from "../../system/files/accounts.ts";
import { belongTogether } from "../../config/values/key-pair.ts";
import { plainPem } from "../../config/values/pem.ts";
import type { TreeFile } from "../../system/files/copy-tree.ts";
import { generateKey, selfSignedCertificate } from "../../system/openssl.ts";
import { ProblemError } from "../../base/problem.ts";
import { type Machine, unit } from "../machine.ts";
import { mountBoot } from "../disks/mount-boot.ts";
import { planRuntimeFolder } from "./runtime-etc.ts";
import { keepAside, setAside } from "./set-aside.ts";
import { inWorkshop, planSweep } from "./scratch-folder.ts";

/**
 * Afterwards /boot/config/node_exporter holds a TLS key and its self-signed certificate, made once. node_exporter finds both in
 * /etc/node_exporter, where only its own group can read the key.
 *
 * It requires the config partition and nothing else. The key decides: it is written atomically and durably, and the certificate is made
 * from it. The certificate is made again when it is missing, damaged, about to expire, or belongs to another key. A key that cannot be read
 * is replaced, and the old file is kept beside it under another name.
 *
 * node_exporter's parser (Go's encoding/pem) is stricter than OpenSSL's: it expects `-----BEGIN` at the beginning of a line, and no byte
 * order mark before it. So both files are kept in the plain form that every parser reads; the key and the certificate in them do not
 * change. There is no conflict.
 *
 * If it fails, the boot goes on: only the metrics page is lost.
 */
export const nodeExporterKeys = unit({
  name: "node-exporter-keys",
  title: "Set up the TLS key of node_exporter",
  requires: [mountBoot],
  owns: ["/boot/config/node_exporter", "/etc/node_exporter", "/run/ic-node/etc/node_exporter", "/run/guestos-boot/node-exporter-keys"],
  onFailure: "degrade",
  async plan(machine) {
    const { host, layout } = machine;
    const gid = groupNamed(await readAccounts(host, layout.etc.folder), "node_exporter");
    const provisions = await planPair(machine);
    const install = await planRuntimeFolder(
      machine,
      {
        target: layout.etc.nodeExporter,
        source: layout.runtimeEtc.nodeExporter,
        // A key that came with the image would be the same on every node.
        omit: (path) => path === KEY || path === CERTIFICATE,
        files: async () => pairFiles(machine, gid),
        content: "node_exporter's configuration and its TLS key",
      },
      provisions.length > 0,
    );
    return [...(await planSweep(host, layout.runFiles.newKeys.nodeExporter)), ...provisions, ...install];
  },
});

const KEY = "node_exporter.key";
const CERTIFICATE = "node_exporter.crt";
/**
 * The certificate is made before the host name is known, and must outlive a change of it. A scraper pins the certificate and expects this
 * name (Prometheus: tls_config.server_name).
 */
const NAME = "node-exporter";
const DAY = 24 * 3600 * 1000;
const VALID = 3650 * DAY;
/**
 * On a first boot the clock comes from the host, and has not been corrected from the network. If it is hours ahead, the certificate must
 * still be valid once the clock is right, and for a client whose clock is behind.
 */
const DATED_BACK = DAY;
/** Only a boot renews it, and a node reboots for every upgrade. */
const RENEW_BEFORE = 30 * DAY;

const PRIVATE = { mode: 0o600, uid: 0, gid: 0 };
const PUBLIC = { mode: 0o644, uid: 0, gid: 0 };

/** The persistent certificate, on the config partition. */
export function nodeExporterCertificate({ config }: Layout): string {
  return join(config.nodeExporter, CERTIFICATE);
}

/** The persistent key. */
export function nodeExporterKey({ config }: Layout): string {
  return join(config.nodeExporter, KEY);
}

async function planPair(machine: Machine): Promise<readonly Action[]> {
  const { host, layout } = machine;
  const folder = layout.config.nodeExporter;
  const [key, certificate] = await Promise.all([host.readText(join(folder, KEY)), host.readText(join(folder, CERTIFICATE))]);
  const broken = keyFault(key);
  if (key === undefined || broken !== undefined) {
    const what = key === undefined ? "make node_exporter's TLS key" : `replace node_exporter's TLS key, which ${broken}`;
    const certify = provision("sign a certificate for it", async () => makeCertificate(machine));
    return [provision(what, async () => makeKey(machine, broken)), certify];
  }
  const actions: Action[] = [];
  if (plainPem(key) !== key)
    actions.push(provision("write the same TLS key of node_exporter again, in plain PEM", async () => plainKey(machine, plainPem(key))));
  const plain = certificate === undefined ? undefined : plainPem(certificate);
  const fault = certificateFault(plain, plainPem(key), host.now());
  if (fault !== undefined || plain === undefined)
    actions.push(provision(`sign node_exporter's certificate, because it ${fault}`, async () => makeCertificate(machine)));
  else if (plain !== certificate) {
    const write = async (): Promise<void> => host.writeFile(join(folder, CERTIFICATE), plain, PUBLIC);
    actions.push(provision("write the same certificate of node_exporter again, in plain PEM", write));
  }
  return actions;
}

/** Keys that Go's crypto/tls can serve with (X509KeyPair, parsePrivateKey): RSA, Ed25519, and ECDSA on these curves. */
const CURVES: readonly (string | undefined)[] = ["prime256v1", "secp384r1", "secp521r1"];

/** @returns why node_exporter cannot use a text as its private key; `undefined` when it can, or when there is no text */
function keyFault(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (text.trim() === "") return "is empty";
  try {
    const key = createPrivateKey(plainPem(text));
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
    const isServed = type === "rsa" || type === "ed25519" || (type === "ec" && CURVES.includes(details?.namedCurve));
    if (!isServed) return "is of a type that node_exporter does not know";
    return belongTogether(key, createPublicKey(key)) ? undefined : "is damaged";
  } catch {
    return "cannot be read";
  }
}

/**
 * Why a certificate cannot be used, as the end of a sentence that begins with "it".
 *
 * A certificate that is not yet valid is made again. systemd never lets the clock run before its own build time (systemd(1)), so the
 * present clock is not the wrong one. The clock was wrong when the certificate was made, by more than `DATED_BACK`.
 *
 * @param now milliseconds since 1970
 */
export function certificateFault(text: string | undefined, key: string, now: number): string | undefined {
  if (text === undefined) return "is missing";
  if (text.trim() === "") return "is empty";
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(text);
  } catch {
    return "cannot be read";
  }
  if (!certificate.checkPrivateKey(createPrivateKey(key))) return "belongs to another key";
  if (certificate.validFromDate.getTime() > now) return "is not yet valid";
  return certificate.validToDate.getTime() - RENEW_BEFORE < now ? "expires or has expired" : undefined;
}

async function makeKey({ host, layout, note }: Machine, broken: string | undefined): Promise<void> {
  const file = nodeExporterKey(layout);
  if (broken !== undefined) note(`node_exporter's TLS key ${broken}; it is replaced; clients that pin it need the new one`);
  const made = join(layout.runFiles.newKeys.nodeExporter, KEY);
  await inWorkshop(host, layout.runFiles.newKeys.nodeExporter, async () => {
    await generateKey(host, made);
    const text = (await host.readText(made)) ?? "";
    const fault = keyFault(text);
    if (fault !== undefined)
      throw new ProblemError({
        code: "openssl-key-wrong",
        what: `openssl made a key that ${fault}`,
        todo: "check that /run has free space: df -h /run",
      });
    await host.makeFolder(layout.config.nodeExporter, { mode: 0o700 });
    if (((await host.stat(file))?.size ?? 0) > 0) await setAside(host, file);
    await host.writeFile(file, text, PRIVATE);
  });
}

async function plainKey({ host, layout, note }: Machine, text: string): Promise<void> {
  const file = nodeExporterKey(layout);
  const aside = await keepAside(host, file, PRIVATE);
  await host.writeFile(file, text, PRIVATE);
  note(`the file of node_exporter's TLS key was not in plain PEM; the same key is written again, and the file is kept as ${aside}`);
}

async function makeCertificate({ host, layout }: Machine): Promise<void> {
  const folder = layout.config.nodeExporter;
  const from = new Date(host.now() - DATED_BACK);
  const until = new Date(from.getTime() + VALID);
  const text = await inWorkshop(host, layout.runFiles.newKeys.nodeExporter, async () =>
    selfSignedCertificate(host, { keyFile: join(folder, KEY), name: NAME, from, until, folder: layout.runFiles.newKeys.nodeExporter }),
  );
  await host.writeFile(join(folder, CERTIFICATE), text, PUBLIC);
}

async function pairFiles({ host, layout }: Machine, gid: number): Promise<readonly TreeFile[]> {
  const folder = layout.config.nodeExporter;
  const [key, certificate] = await Promise.all([host.readBytes(join(folder, KEY)), host.readBytes(join(folder, CERTIFICATE))]);
  return [
    ...(key === undefined ? [] : [{ path: KEY, content: key, mode: 0o640, uid: 0, gid }]),
    ...(certificate === undefined ? [] : [{ path: CERTIFICATE, content: certificate, ...PUBLIC }]),
  ];
}
