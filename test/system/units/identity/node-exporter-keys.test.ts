import { spawnSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { certificateFault, nodeExporterKeys } from "../../../../src/units/identity/node-exporter-keys.ts";
import { damagedKey } from "../../../support/certificate.ts";
import { type NamespaceMachine, namespaceMachine } from "../../../support/namespace-machine.ts";
import { servedCertificate } from "../../../support/metrics-tools.ts";
import { surviveEveryCut } from "../../../support/power-cuts.ts";
import { runUnit } from "../../../support/run-unit.ts";

const KEY = "/boot/config/node_exporter/node_exporter.key";
const CERTIFICATE = "/boot/config/node_exporter/node_exporter.crt";
const GID = 971;

function prepare(): NamespaceMachine {
  return namespaceMachine({
    "/etc/node_exporter/web.yml": "tls_server_config: {}\n",
    "/etc/passwd": "root:x:0:0::/root:/bin/sh\n",
    "/etc/group": `root:x:0:\nnode_exporter:x:${GID}:\n`,
    "/boot/config/.keep": "",
  });
}

function expectWhole({ at }: NamespaceMachine): void {
  const key = readFileSync(at(KEY), "utf8");
  const certificate = new X509Certificate(readFileSync(at(CERTIFICATE)));
  expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(readFileSync(at("/etc/node_exporter/node_exporter.key"), "utf8")).toBe(key);
  expect(statSync(at("/etc/node_exporter/node_exporter.key"))).toMatchObject({ mode: 0o100640, uid: 0, gid: GID });
  expect(statSync(at(KEY)).mode & 0o777).toBe(0o600);
  expect(existsSync(at("/run/guestos-boot/node-exporter-keys"))).toBe(false);
  const names = readdirSync(at("/boot/config/node_exporter")).filter((name) => !name.endsWith(".key.unusable"));
  expect(names.toSorted()).toEqual(["node_exporter.crt", "node_exporter.key"]);
}

test("a real key and certificate are made once; the certificate is a server's for ten years, and signs nothing else", async () => {
  const machine = prepare();
  await runUnit(nodeExporterKeys, machine);
  expectWhole(machine);
  const certificate = new X509Certificate(readFileSync(machine.at(CERTIFICATE)));
  expect(certificate).toMatchObject({ subject: "CN=node-exporter", subjectAltName: "DNS:node-exporter", ca: false });
  expect(certificate.checkHost("node-exporter")).toBe("node-exporter");
  expect((certificate.validToDate.getTime() - certificate.validFromDate.getTime()) / 86_400_000).toBe(3650);
  const { stdout: extensions } = spawnSync("openssl", ["x509", "-in", machine.at(CERTIFICATE), "-noout", "-text"], { encoding: "utf8" });
  expect(extensions).toMatch(/Key Usage: critical\s+Digital Signature\n.*Extended Key Usage: \n\s+TLS Web Server Authentication\n/);
  expect(extensions).toMatch(/Basic Constraints: critical\s+CA:FALSE\n/);
  expect(createPrivateKey(readFileSync(machine.at(KEY))).asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
  expect(
    spawnSync("openssl", ["verify", "-purpose", "sslserver", "-CAfile", machine.at(CERTIFICATE), machine.at(CERTIFICATE)]).status,
  ).toBe(0);
  expect(readFileSync(machine.at("/etc/node_exporter/web.yml"), "utf8")).toBe("tls_server_config: {}\n");
  expect(await runUnit(nodeExporterKeys, machine)).toEqual([]);
});

test("a certificate that was made with a clock ahead by hours is valid once the time is right", async () => {
  const machine = prepare();
  const before = Date.now();
  await runUnit(nodeExporterKeys, machine);
  const [text, key] = [readFileSync(machine.at(CERTIFICATE), "utf8"), readFileSync(machine.at(KEY), "utf8")];
  const { validFromDate, validToDate } = new X509Certificate(text);
  // RFC 5280, 4.1.2.5: it is valid from notBefore on, so a reader refuses it before. An RTC in local time is ahead by up to 14 hours.
  expect(before - validFromDate.getTime()).toBeGreaterThan(86_400_000 - 60_000);
  expect(before - validFromDate.getTime()).toBeLessThan(86_400_000 + 60_000);
  expect(certificateFault(text, key, before - 23 * 3_600_000)).toBeUndefined();
  expect(validToDate.getTime() - validFromDate.getTime()).toBe(3650 * 86_400_000);
});

test("no part of the private key is in the arguments or the environment of a tool", async () => {
  const machine = prepare();
  await runUnit(nodeExporterKeys, machine);
  const lines = readFileSync(machine.at(KEY), "utf8").split("\n").slice(1, 3);
  for (const line of lines) expect(JSON.stringify(machine.tools)).not.toContain(line);
  expect(machine.tools.map(({ program }) => program)).toEqual(["openssl", "openssl", "openssl", "mount"]);
});

test("the pair is the same after a reboot, and that boot starts one tool: mount", async () => {
  const machine = prepare();
  await runUnit(nodeExporterKeys, machine);
  const before = readFileSync(machine.at(CERTIFICATE), "utf8");
  machine.reboot();
  const started = machine.tools.length;
  await runUnit(nodeExporterKeys, machine);
  expect(machine.tools.slice(started).map(({ program }) => program)).toEqual(["mount"]);
  expect(readFileSync(machine.at("/etc/node_exporter/node_exporter.crt"), "utf8")).toBe(before);
});

describe("a state that something left half done heals:", () => {
  test.each([
    ["an empty key", KEY, (file: string) => writeFileSync(file, ""), true],
    ["a key cut off", KEY, (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 100)), true],
    ["a key of which one bit is another", KEY, (file: string) => writeFileSync(file, damagedKey(readFileSync(file, "utf8"))), true],
    ["no key", KEY, unlinkSync, true],
    ["an empty certificate", CERTIFICATE, (file: string) => writeFileSync(file, ""), false],
    ["a certificate cut off", CERTIFICATE, (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 100)), false],
    ["no certificate", CERTIFICATE, unlinkSync, false],
  ])("%s", async (_, path, harm, isNew) => {
    const machine = prepare();
    await runUnit(nodeExporterKeys, machine);
    const before = readFileSync(machine.at(KEY), "utf8");
    harm(machine.at(path));
    expect(await runUnit(nodeExporterKeys, machine)).not.toEqual([]);
    expectWhole(machine);
    expect(readFileSync(machine.at(KEY), "utf8") !== before).toBe(isNew);
  });
});

/** What happens to a file on its way to a node. */
const HARMS: Readonly<Record<string, (text: string) => string>> = {
  nothing: (text) => text,
  "a byte order mark": (text) => `\ufeff${text}`,
  "a leading blank": (text) => ` ${text}`,
  "indented lines": (text) => text.replaceAll(/^(?=.)/gm, "  "),
  "carriage returns": (text) => text.replaceAll("\n", "\r\n"),
  "no last line feed": (text) => text.trimEnd(),
  "text around it": (text) => `Bag Attributes\n${text}\n# node 7\n`,
};

describe("node_exporter itself is asked. It serves the same pair after this:", () => {
  test.each(Object.entries(HARMS))("%s", async (_, harm) => {
    const machine = prepare();
    await runUnit(nodeExporterKeys, machine);
    const before = new X509Certificate(readFileSync(machine.at(CERTIFICATE)));
    for (const file of [KEY, CERTIFICATE]) writeFileSync(machine.at(file), harm(readFileSync(machine.at(file), "utf8")));
    await runUnit(nodeExporterKeys, machine);
    expectWhole(machine);
    expect(await servedCertificate(machine.at("/etc/node_exporter"))).toBe(before.fingerprint256);
  });

  test("a damaged key, which OpenSSL reads: it is replaced, since node_exporter does not take it", async () => {
    const machine = prepare();
    await runUnit(nodeExporterKeys, machine);
    const folder = machine.at("/boot/config/node_exporter");
    writeFileSync(machine.at(KEY), damagedKey(readFileSync(machine.at(KEY), "utf8")));
    await expect(servedCertificate(folder)).rejects.toThrow("private key does not match public key");
    await runUnit(nodeExporterKeys, machine);
    expectWhole(machine);
    expect(await servedCertificate(folder)).toBe(new X509Certificate(readFileSync(machine.at(CERTIFICATE))).fingerprint256);
  });
});

test("a power cut at any effect is survived, with and without a reboot", async () => {
  expect(await surviveEveryCut(nodeExporterKeys, prepare, expectWhole)).toBeGreaterThan(8);
});
