import { execFileSync, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parseHostKey, publicKeyOf } from "../../../../src/config/values/openssh-key.ts";
import { mountAt, mounts } from "../../../../src/system/disks/mounts.ts";
import { sshHostKeys } from "../../../../src/units/identity/ssh-host-keys.ts";
import { type NamespaceMachine, namespaceMachine } from "../../../support/namespace-machine.ts";
import { makeHostKey } from "../../../support/host-key.ts";
import { loadedByKeygen, sshdReadsHostKey } from "../../../support/open-ssh.ts";
import { namespaceRoot } from "../../../support/namespace.ts";
import { surviveEveryCut } from "../../../support/power-cuts.ts";
import { runUnit } from "../../../support/run-unit.ts";

const TYPES = ["ed25519", "ecdsa"];

function prepare(): NamespaceMachine {
  return namespaceMachine({
    "/etc/ssh/sshd_config": "UsePAM yes\n",
    "/etc/ssh/sshd_config.d/10-node.conf": "PasswordAuthentication no\n",
    "/etc/ssh/ssh_host_rsa_key": "the same on every node\n",
    "/boot/config/.keep": "",
  });
}

const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
const ecdsa = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;

function fingerprint(file: string): string {
  const { status, stdout, stderr } = spawnSync("ssh-keygen", ["-y", "-P", "", "-f", file], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return publicKeyOf(stdout) ?? "";
}

function expectWhole({ at }: NamespaceMachine): void {
  for (const type of TYPES) {
    const file = at(`/boot/config/ssh/ssh_host_${type}_key`);
    const publicKey = fingerprint(file);
    expect(publicKeyOf(readFileSync(`${file}.pub`, "utf8"))).toBe(publicKey);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const used = at(`/etc/ssh/ssh_host_${type}_key`);
    expect(fingerprint(used)).toBe(publicKey);
    expect(statSync(used).mode & 0o777).toBe(0o600);
  }
  expect(existsSync(at("/run/guestos-boot/ssh-host-keys"))).toBe(false);
  expect(readdirSync(at("/boot/config/ssh")).filter((name) => name.startsWith("."))).toEqual([]);
}

test("real keys are made once, sshd takes them, and the image's own configuration stays", async () => {
  const machine = prepare();
  symlinkSync("../sshd_config.d/10-node.conf", machine.at("/etc/ssh/sshd_config.d/20-link.conf"));
  await runUnit(sshHostKeys, machine);
  expectWhole(machine);
  expect(readdirSync(machine.at("/etc/ssh"), { recursive: true, encoding: "utf8" }).toSorted()).toEqual([
    ...["ssh_host_ecdsa_key", "ssh_host_ecdsa_key.pub", "ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"],
    ...["sshd_config", "sshd_config.d", "sshd_config.d/10-node.conf", "sshd_config.d/20-link.conf"],
  ]);
  expect(readFileSync(machine.at("/etc/ssh/sshd_config.d/20-link.conf"), "utf8")).toBe("PasswordAuthentication no\n");
  expect(() => writeFileSync(machine.at("/etc/ssh/sshd_config"), "")).toThrow("EROFS");
  expect((await mountAt(machine.host, machine.at("/etc/ssh")))?.options).toEqual(
    expect.arrayContaining(["ro", "nodev", "nosuid", "noexec"]),
  );
  expect(statSync(machine.at("/boot/config/ssh")).mode & 0o777).toBe(0o700);
  const key = readFileSync(machine.at("/boot/config/ssh/ssh_host_ed25519_key"), "utf8");
  expect(JSON.stringify(machine.tools)).not.toContain(key.split("\n")[2]);
  expect(await runUnit(sshHostKeys, machine)).toEqual([]);
});

test("the keys are the same after a reboot, and that boot starts one tool: mount", async () => {
  const machine = prepare();
  await runUnit(sshHostKeys, machine);
  const before = fingerprint(machine.at("/etc/ssh/ssh_host_ed25519_key"));
  machine.reboot();
  const started = machine.tools.length;
  await runUnit(sshHostKeys, machine);
  expect(machine.tools.slice(started).map(({ program }) => program)).toEqual(["mount"]);
  expect(fingerprint(machine.at("/etc/ssh/ssh_host_ed25519_key"))).toBe(before);
  expectWhole(machine);
});

describe("every key that ssh-keygen makes is understood:", () => {
  test.each([
    ["ed25519", []],
    ["ecdsa", ["-b", "256"]],
    ["ecdsa", ["-b", "384"]],
    ["ecdsa", ["-b", "521"]],
    ["rsa", ["-b", "2048"]],
    ["rsa", ["-b", "2048", "-m", "PEM"]],
    ["rsa", ["-b", "2048", "-m", "PKCS8"]],
    ["ecdsa", ["-m", "PEM"]],
    ["ecdsa", ["-b", "521", "-m", "PKCS8"]],
  ] as const)("%s %j", (type, options) => {
    const { at } = prepare();
    for (let count = 0; count < 5; count += 1) {
      const file = at(`/boot/config/key${count}`);
      expect(spawnSync("ssh-keygen", ["-q", "-t", type, ...options, "-N", "", "-f", file]).status).toBe(0);
      const key = parseHostKey(readFileSync(file, "utf8"));
      expect(key.kind === "key" ? publicKeyOf(key.publicLine) : key.reason).toBe(publicKeyOf(readFileSync(`${file}.pub`, "utf8")));
      // So that a boot starts no tool for it.
      expect(key).toMatchObject({ isCanonical: true });
    }
  });

  test.each([
    ...(["ed25519", "ecdsa", "rsa"] as const).map((type) => [`${type} of OpenSSH`, () => makeHostKey(type).text, 1] as const),
    ["rsa in PKCS#1", () => rsa.export({ format: "pem", type: "pkcs1" }), 0] as const,
    ["ecdsa in SEC 1", () => ecdsa.export({ format: "pem", type: "sec1" }), 0] as const,
  ])("%s with a byte changed anywhere is not taken, or OpenSSH reads it and signs with it", (_, make, least) => {
    const { at } = prepare();
    const [file, signature] = [at("/boot/config/key"), at("/boot/config/signature")];
    const text = make();
    const [bytes, label] = [Buffer.from(text.replaceAll(/-----.*-----|\n/g, ""), "base64"), /BEGIN (.*)-----/.exec(text)?.[1] ?? ""];
    const width = label.startsWith("OPENSSH") ? 70 : 64;
    const taken = [...bytes.keys()].flatMap((place) => {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(bytes.readUInt8(place) ^ 1, place);
      const body = changed.toString("base64").replaceAll(new RegExp(`.{1,${width}}`, "g"), "$&\n");
      const armoured = `-----BEGIN ${label}-----\n${body}-----END ${label}-----\n`;
      const key = parseHostKey(armoured);
      return key.kind === "key" && key.isCanonical ? [{ armoured, publicLine: key.publicLine }] : [];
    });
    // In OpenSSH's own format that is the comment.
    expect(taken.length).toBeGreaterThanOrEqual(least);
    for (const key of taken) {
      writeFileSync(file, key.armoured, { mode: 0o600 });
      writeFileSync(`${file}.pub`, key.publicLine);
      expect(loadedByKeygen(file)).toBe(publicKeyOf(key.publicLine));
      writeFileSync(signature, execFileSync("ssh-keygen", ["-q", "-Y", "sign", "-f", file, "-n", "test"], { input: "x" }));
      execFileSync("ssh-keygen", ["-q", "-Y", "check-novalidate", "-s", signature, "-n", "test"], { input: "x" });
    }
  });

  test("one with a passphrase is refused for what it is", () => {
    const { at } = prepare();
    spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "passphrase", "-f", at("/boot/config/key")]);
    expect(parseHostKey(readFileSync(at("/boot/config/key"), "utf8"))).toMatchObject({ reason: expect.stringContaining("passphrase") });
  });
});

const TYPES_OF_KEYS = [
  ["ed25519", []],
  ["ecdsa", ["-b", "521", "-m", "PEM"]],
  ["rsa", ["-b", "2048"]],
  ["rsa", ["-b", "2048", "-m", "PKCS8"]],
] as const;

/** What happens to a file on its way to a node. */
const HARMS: Readonly<Record<string, (text: string) => string>> = {
  "no last line feed": (text) => text.trimEnd(),
  "more line feeds": (text) => `${text}\n\n`,
  "carriage returns": (text) => text.replaceAll("\n", "\r\n"),
  "old Macintosh line ends": (text) => text.replaceAll("\n", "\r"),
  "a byte order mark": (text) => `\ufeff${text}`,
  "a leading blank": (text) => ` ${text}`,
  "a leading empty line": (text) => `\n${text}`,
  "indented lines": (text) => text.replaceAll(/^(?=.)/gm, "  "),
  "blanks behind lines": (text) => text.replaceAll("\n", "  \n"),
  "text before it": (text) => `Bag Attributes\n    friendlyName: host\n${text}`,
  "text behind it": (text) => `${text}# the key of node 7\n`,
  "shorter lines": (text) => rewrapped(text, 40),
  "one long line": (text) => rewrapped(text, 10_000),
};

function rewrapped(text: string, width: number): string {
  return text.replace(/KEY-----\n([^-]+)\n-----END/, (_, body: string) => {
    const lines = body.replaceAll("\n", "").match(new RegExp(`.{1,${width}}`, "g"));
    return `KEY-----\n${lines?.join("\n")}\n-----END`;
  });
}

describe.each(TYPES_OF_KEYS)("a key of sshd is the same, and sshd reads it: %s %j", (type, options) => {
  let made: string;
  let publicKey: string;

  beforeAll(() => {
    const file = join(namespaceRoot(), "key");
    execFileSync("ssh-keygen", ["-q", "-t", type, ...options, "-N", "", "-f", file]);
    made = readFileSync(file, "utf8");
    publicKey = fingerprint(file);
  });

  test.each(Object.entries(HARMS))("with %s", async (_, harm) => {
    const machine = prepare();
    const file = machine.at(`/boot/config/ssh/ssh_host_${type}_key`);
    const text = harm(made);
    mkdirSync(machine.at("/boot/config/ssh"), { mode: 0o700 });
    writeFileSync(file, text, { mode: 0o600 });
    const wasRead = sshdReadsHostKey(machine.root, file);
    await runUnit(sshHostKeys, machine);
    // What sshd reads is left as it is; what it does not is kept beside.
    expect(readFileSync(file, "utf8") === text).toBe(wasRead);
    expect(existsSync(`${file}.unusable`)).toBe(!wasRead);
    if (!wasRead) expect(readFileSync(`${file}.unusable`, "utf8")).toBe(text);
    expect(loadedByKeygen(file)).toBe(publicKey);
    expect(sshdReadsHostKey(machine.root, machine.at(`/etc/ssh/ssh_host_${type}_key`))).toBe(true);
    expect(await runUnit(sshHostKeys, machine)).toEqual([]);
    expectWhole(machine);
  });
});

test("an Ed25519 key in PKCS 8, which sshd does not read, stays the same key", async () => {
  const machine = prepare();
  await runUnit(sshHostKeys, machine);
  const file = machine.at("/boot/config/ssh/ssh_host_ed25519_key");
  const { privateKey } = generateKeyPairSync("ed25519", {
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  writeFileSync(file, privateKey);
  expect(sshdReadsHostKey(machine.root, file)).toBe(false);
  expect(await runUnit(sshHostKeys, machine)).toContain("write the same ed25519 host key again, as sshd reads it");
  expectWhole(machine);
  const key = parseHostKey(privateKey);
  expect(fingerprint(file)).toBe(key.kind === "key" ? publicKeyOf(key.publicLine) : key.reason);
});

test("a key of a type that is not known here is kept where sshd reads it", async () => {
  const machine = prepare();
  const file = machine.at("/boot/config/ssh/ssh_host_rsa_key");
  await runUnit(sshHostKeys, machine);
  expect(spawnSync("ssh-keygen", ["-q", "-t", "dsa", "-N", "", "-f", file]).status).toBe(0);
  const text = readFileSync(file, "utf8");
  expect(sshdReadsHostKey(machine.root, file)).toBe(true);
  unlinkSync(`${file}.pub`);
  expect(await runUnit(sshHostKeys, machine)).toContain("write the public half of the rsa host key");
  expect(readFileSync(file, "utf8")).toBe(text);
  expect(publicKeyOf(readFileSync(`${file}.pub`, "utf8"))).toBe(loadedByKeygen(file));
});

test("a power cut while a key is written as sshd reads it never costs the key", async () => {
  const machine = prepare();
  await runUnit(sshHostKeys, machine);
  const key = readFileSync(machine.at("/boot/config/ssh/ssh_host_ed25519_key"), "utf8");
  const publicKey = fingerprint(machine.at("/boot/config/ssh/ssh_host_ed25519_key"));
  const again = (): NamespaceMachine => {
    const other = prepare();
    mkdirSync(other.at("/boot/config/ssh"), { mode: 0o700 });
    writeFileSync(other.at("/boot/config/ssh/ssh_host_ed25519_key"), key.trimEnd(), { mode: 0o600 });
    return other;
  };
  const whole = (other: NamespaceMachine): void => {
    expectWhole(other);
    expect(fingerprint(other.at("/boot/config/ssh/ssh_host_ed25519_key"))).toBe(publicKey);
  };
  expect(await surviveEveryCut(sshHostKeys, again, whole)).toBeGreaterThan(15);
});

describe("a state that something left half done heals:", () => {
  test.each([
    ["an empty private key", (file: string) => writeFileSync(file, ""), true],
    ["a private key cut off", (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 200)), true],
    ["no private key", unlinkSync, true],
    ["an empty public key", (file: string) => writeFileSync(`${file}.pub`, ""), false],
    ["no public key", (file: string) => unlinkSync(`${file}.pub`), false],
    ["a private key for all to read", (file: string) => chmodSync(file, 0o644), false],
  ])("%s", async (_, harm, isNew) => {
    const machine = prepare();
    await runUnit(sshHostKeys, machine);
    const file = machine.at("/boot/config/ssh/ssh_host_ed25519_key");
    const before = fingerprint(file);
    harm(file);
    for (const reboot of [false, true]) {
      if (reboot) machine.reboot();
      expect(await runUnit(sshHostKeys, machine)).not.toEqual([]);
      expectWhole(machine);
    }
    expect(fingerprint(file) !== before).toBe(isNew);
  });

  test("a key that was changed on the tmpfs", async () => {
    const machine = prepare();
    await runUnit(sshHostKeys, machine);
    writeFileSync(machine.at("/run/ic-node/etc/ssh/ssh_host_ecdsa_key"), "");
    expect(await runUnit(sshHostKeys, machine)).toHaveLength(1);
    expectWhole(machine);
  });
});

test("a folder that was removed from the tmpfs is made again, with the image's configuration from below the dead mount", async () => {
  const machine = prepare();
  await runUnit(sshHostKeys, machine);
  rmSync(machine.at("/run/ic-node/etc/ssh"), { recursive: true });
  expect(readdirSync(machine.at("/etc/ssh"))).toEqual([]);
  await runUnit(sshHostKeys, machine);
  expectWhole(machine);
  expect(readFileSync(machine.at("/etc/ssh/sshd_config"), "utf8")).toBe("UsePAM yes\n");
  expect((await mounts(machine.host)).filter(({ mountPoint }) => mountPoint === machine.at("/etc/ssh"))).toHaveLength(1);
});

test("a power cut at any effect is survived, with and without a reboot", async () => {
  expect(await surviveEveryCut(sshHostKeys, prepare, expectWhole)).toBeGreaterThan(15);
});
