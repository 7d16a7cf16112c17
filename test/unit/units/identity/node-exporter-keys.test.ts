import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { certificateFault, nodeExporterKeys } from "../../../../src/units/identity/node-exporter-keys.ts";
import { actingHost, bindingMount, failing, filesBelow, ROOT_AND_RUN, type ToolAction } from "../../../support/acting-host.ts";
import { damagedKey, makeCertificate, makeTlsKey } from "../../../support/certificate.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { testMachine } from "../../../support/test-machine.ts";

const DAY = 24 * 3600 * 1000;
const CONFIG = "/boot/config/node_exporter";
const RUNTIME = "/run/ic-node/etc/node_exporter";
const MAKE = ["make node_exporter's TLS key", "sign a certificate for it"];
const INSTALL = [`copy node_exporter's configuration and its TLS key to ${RUNTIME}`, `bind ${RUNTIME} over /etc/node_exporter`];
const KEY = makeTlsKey();

function days(count: number): Date {
  return new Date(Date.now() + count * DAY);
}

const openssl: ToolAction = (host, { args }) => {
  if (args[0] === "genpkey") return void host.files.set(args.at(-1) ?? "", makeTlsKey());
  if (args[0] === "req") return undefined;
  const key = host.files.get(args[args.indexOf("-keyfile") + 1] ?? "")?.toString() ?? "";
  return makeCertificate(key, days(0), days(3650));
};

function machine(files: Readonly<Record<string, string>> = {}, tools: Readonly<Record<string, ToolAction>> = {}) {
  const base = {
    "/proc/self/mountinfo": ROOT_AND_RUN,
    "/etc/node_exporter/web.yml": "tls_server_config: {}\n",
    "/etc/passwd": "root:x:0:0::/root:/bin/sh\n",
    "/etc/group": "root:x:0:\nnode_exporter:x:971:\n",
  };
  return testMachine(actingHost({ files: { ...base, ...files } }, { openssl, mount: bindingMount, ...tools }));
}

function pair(certificate: string, key = KEY): Record<string, string> {
  return { [`${CONFIG}/node_exporter.key`]: key, [`${CONFIG}/node_exporter.crt`]: certificate };
}

test("a node without a key gets one and its certificate, the key readable by node_exporter's group alone", async () => {
  const subject = machine();
  expect(await runUnit(nodeExporterKeys, subject)).toEqual([...MAKE, ...INSTALL]);
  expect(Object.keys(filesBelow(subject.host, RUNTIME)).toSorted()).toEqual(["node_exporter.crt", "node_exporter.key", "web.yml"]);
  expect(await subject.host.stat(`${RUNTIME}/node_exporter.key`)).toMatchObject({ mode: 0o640, uid: 0, gid: 971 });
  expect(await subject.host.stat(`${CONFIG}/node_exporter.key`)).toMatchObject({ mode: 0o600, uid: 0, gid: 0 });
  expect(filesBelow(subject.host, "/run/guestos-boot")).toEqual({});
  expect(await runUnit(nodeExporterKeys, subject)).toEqual([]);
});

test("a node with its pair keeps it, and only has to put it in place", async () => {
  const files = pair(makeCertificate(KEY, days(-1), days(3649)));
  const subject = machine(files, { openssl: failing(1, "not to be run") });
  expect(await runUnit(nodeExporterKeys, subject)).toEqual(INSTALL);
  expect(filesBelow(subject.host, CONFIG)["node_exporter.key"]).toBe(KEY);
  expect(filesBelow(subject.host, RUNTIME)["node_exporter.key"]).toBe(KEY);
  expect(subject.notes).toEqual([]);
});

describe("the certificate is signed again, and the key stays, when the certificate", () => {
  test.each([
    ["is empty", ""],
    ["cannot be read", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
    ["belongs to another key", makeCertificate(makeTlsKey(), days(-1), days(3649))],
    ["is not yet valid", makeCertificate(KEY, days(1), days(3649))],
    ["expires or has expired", makeCertificate(KEY, days(-3650), days(-1))],
    ["expires or has expired", makeCertificate(KEY, days(-3650), days(29))],
  ])("%s", async (fault, certificate) => {
    const subject = machine(pair(certificate));
    expect(await runUnit(nodeExporterKeys, subject)).toEqual([`sign node_exporter's certificate, because it ${fault}`, ...INSTALL]);
    expect(filesBelow(subject.host, CONFIG)["node_exporter.key"]).toBe(KEY);
  });

  test("is missing", async () => {
    const subject = machine({ [`${CONFIG}/node_exporter.key`]: KEY });
    expect(await runUnit(nodeExporterKeys, subject)).toEqual(["sign node_exporter's certificate, because it is missing", ...INSTALL]);
  });
});

test("a certificate is judged at the time that is given", () => {
  const certificate = makeCertificate(KEY, new Date("2026-01-01"), new Date("2036-01-01"));
  expect(certificateFault(certificate, KEY, Date.parse("2025-12-31"))).toBe("is not yet valid");
  expect(certificateFault(certificate, KEY, Date.parse("2026-01-02"))).toBeUndefined();
  expect(certificateFault(certificate, KEY, Date.parse("2035-11-30"))).toBeUndefined();
  expect(certificateFault(certificate, KEY, Date.parse("2035-12-31"))).toBe("expires or has expired");
});

test.each([
  ["is empty", ""],
  ["cannot be read", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"],
  // Go computes the public half again, and refuses it; OpenSSL reads the one in the file.
  ["is damaged", damagedKey(makeTlsKey())],
])("a key that %s is replaced with its certificate, and the operator is told", async (fault, key) => {
  const subject = machine(pair(makeCertificate(KEY, days(-1), days(3649)), key));
  expect(await runUnit(nodeExporterKeys, subject)).toEqual([`replace node_exporter's TLS key, which ${fault}`, MAKE[1], ...INSTALL]);
  expect(subject.notes).toEqual([expect.stringContaining(`TLS key ${fault}; it is replaced`)]);
  expect(() => createPrivateKey(filesBelow(subject.host, CONFIG)["node_exporter.key"] ?? "")).not.toThrow();
});

test("a key that is replaced is kept beside, also where one was before", async () => {
  const key = `${CONFIG}/node_exporter.key`;
  const subject = machine({ ...pair("", "half a key"), [`${key}.unusable`]: "another half" });
  await runUnit(nodeExporterKeys, subject);
  expect(subject.host.files.get(`${key}.unusable`)).toBe("another half");
  expect(subject.host.files.get(`${key}.unusable-2`)).toBe("half a key");
});

test("a key on a curve that Go's crypto/tls does not serve with is replaced", async () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
  const subject = machine(pair("", privateKey.export({ format: "pem", type: "pkcs8" })));
  expect((await runUnit(nodeExporterKeys, subject))[0]).toBe(
    "replace node_exporter's TLS key, which is of a type that node_exporter does not know",
  );
});

test("a pair that is not in plain PEM is the same pair afterwards, and the operator is told", async () => {
  const certificate = makeCertificate(KEY, days(-1), days(3649));
  const subject = machine(pair(`\ufeff${certificate}`, `\ufeff${KEY}`));
  expect(await runUnit(nodeExporterKeys, subject)).toEqual([
    "write the same TLS key of node_exporter again, in plain PEM",
    "write the same certificate of node_exporter again, in plain PEM",
    ...INSTALL,
  ]);
  expect(filesBelow(subject.host, CONFIG)).toEqual({
    "node_exporter.key": KEY,
    "node_exporter.key.unusable": `\ufeff${KEY}`,
    "node_exporter.crt": certificate,
  });
  expect(subject.notes).toEqual([expect.stringContaining("the same key is written again")]);
  expect(await runUnit(nodeExporterKeys, subject)).toEqual([]);
});

test("a key that was changed on the tmpfs is put back", async () => {
  const subject = machine(pair(makeCertificate(KEY, days(-1), days(3649))));
  await runUnit(nodeExporterKeys, subject);
  await subject.host.setAttributes(`${RUNTIME}/node_exporter.key`, { mode: 0o644, uid: 0, gid: 971 });
  expect(await runUnit(nodeExporterKeys, subject)).toEqual([INSTALL[0]]);
});

test("openssl failing leaves no half pair that a next run could not complete", async () => {
  const subject = machine({}, { openssl: failing(1, "Can't open for writing, No space left on device") });
  await expect(runUnit(nodeExporterKeys, subject)).rejects.toMatchObject({ problem: { found: expect.stringContaining("No space left") } });
  expect(filesBelow(subject.host, CONFIG)).toEqual({});
});

test("openssl leaving an empty key is not believed", async () => {
  const subject = machine({}, { openssl: (host, { args }) => void host.files.set(args.at(-1) ?? "", "") });
  await expect(runUnit(nodeExporterKeys, subject)).rejects.toThrow("openssl made a key that is empty");
});

test("an image without the group is an error that names it", async () => {
  await expect(nodeExporterKeys.plan(machine({ "/etc/group": "root:x:0:\n" }))).rejects.toThrow("the image has no group node_exporter");
});

test("an image without /etc/node_exporter is an error", async () => {
  const subject = machine();
  subject.host.files.delete("/etc/node_exporter/web.yml");
  await expect(nodeExporterKeys.plan(subject)).rejects.toThrow("the image has no /etc/node_exporter");
});
