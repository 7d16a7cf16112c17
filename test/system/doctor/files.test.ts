import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import type { Layout } from "../../../src/config/layout/layout.ts";
import { certificateCheck } from "../../../src/doctor/certificate.ts";
import type { Check, Finding, Seen } from "../../../src/doctor/check.ts";
import { examine } from "../../../src/doctor/examine.ts";
import { guestos } from "../../support/chains.ts";
import { judgeMounts, mountsCheck, promisedMounts } from "../../../src/doctor/mounts.ts";
import { keysCheck } from "../../../src/doctor/keys.ts";
import { spaceCheck } from "../../../src/doctor/space.ts";
import { upgradesCheck } from "../../../src/doctor/upgrades.ts";
import type { Host } from "../../../src/system/host.ts";
import { mounts } from "../../../src/system/disks/mounts.ts";
import { generateKey, selfSignedCertificate } from "../../../src/system/openssl.ts";
import { blockOf } from "../../../src/upgrade/boot-state.ts";
import { HASH, installed, proven, slotMachine, type SlotMachineOptions } from "../../support/slot-machine.ts";
import { testNode } from "../../support/test-node.ts";

// The real thing, as far as it goes outside of a VM: file systems of memory at a node's mount points, files with modes and owners.

let host: Host;
let layout: Layout;

/** A node below a folder of its own, with something mounted wherever something should be. */
async function makeNode(options: SlotMachineOptions = {}): Promise<void> {
  const machine = await slotMachine(options);
  const { config, grubenv, mountPoints } = machine.layout;
  ({ host, layout } = machine);
  const block = await host.readBytes(grubenv);
  const slots = await Promise.all(["A.json", "B.json"].map(async (name) => host.readText(join(config.slots, name))));
  for (const mountPoint of [
    mountPoints.config,
    mountPoints.grub,
    mountPoints.var,
    mountPoints.data,
    mountPoints.crypto,
    mountPoints.backup,
  ]) {
    mountTmpfs(mountPoint, "size=1m,nodev,nosuid,noexec");
  }
  if (block !== undefined) writeFileSync(grubenv, block);
  mkdirSync(config.slots, { recursive: true });
  for (const [index, text] of slots.entries()) if (text !== undefined) writeFileSync(join(config.slots, `${"AB"[index]}.json`), text);
}

function mountTmpfs(path: string, options: string): void {
  mkdirSync(path, { recursive: true });
  run("mount", "-t", "tmpfs", "-o", options, "tmpfs", path);
}

function run(program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
}

function put(path: string, content: string, mode: number, uid = 0): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, content);
  chmodSync(path, mode);
  chownSync(path, uid, uid);
}

async function inspect(check: Check): Promise<Seen> {
  return check.inspect(testNode(host, { layout }), host);
}

const texts = (findings: readonly Finding[]): readonly string[] => findings.map(({ level, problem }) => `${level}: ${problem.what}`);

beforeEach(async () => makeNode());

function putKeys(): void {
  const { config, mountPoints } = layout;
  put(config.storeKey, "key", 0o400);
  put(join(config.ssh, "ssh_host_ed25519_key"), "key", 0o600);
  put(join(config.ssh, "ssh_host_ed25519_key.pub"), "public", 0o644);
  put(join(config.nodeExporter, "node_exporter.key"), "key", 0o600);
  const data = ["node_operator_private_key.pem", "ic_crypto/node_sks", "ic_state"].map((target) => ({ target, digest: HASH }));
  put(config.injectedData, JSON.stringify({ version: 1, sha256: HASH, data }), 0o644);
  put(join(mountPoints.data, "node_operator_private_key.pem"), "key", 0o600, 1000);
  put(join(mountPoints.data, "ic_state/checkpoint"), "state", 0o644, 1000);
  chmodSync(join(mountPoints.data, "ic_state"), 0o755);
  put(join(mountPoints.crypto, "node_sks/sks_data.pb"), "key", 0o600, 1000);
}

test("keys that are closed are fine, and what is no secret may be open", async () => {
  putKeys();
  expect(await inspect(keysCheck)).toEqual({ fact: "7 keys and folders of keys, closed to others", findings: [] });
});

test("a key that others may read, or that is another's, is named with what closes it; and that does close it", async () => {
  putKeys();
  const { config, mountPoints } = layout;
  chmodSync(config.storeKey, 0o444);
  chownSync(join(config.ssh, "ssh_host_ed25519_key"), 1000, 1000);
  chmodSync(join(mountPoints.crypto, "node_sks"), 0o755);
  const { findings } = await inspect(keysCheck);
  expect(findings.map(({ level, problem: { what, found } }) => [level, what, found])).toEqual([
    ["wrong", `${config.storeKey} is not closed to others`, "mode 0444, owner 0"],
    ["wrong", `${config.ssh}/ssh_host_ed25519_key is not closed to others`, "mode 0600, owner 1000"],
    ["wrong", `${mountPoints.crypto}/node_sks is not closed to others`, "mode 0755, owner 0"],
  ]);
  for (const { problem } of findings) run("sh", "-c", problem.todo ?? "false");
  expect((await inspect(keysCheck)).findings).toEqual([]);
});

test("the owner's own group may read a key of the node's software, and no other group may", async () => {
  putKeys();
  mkdirSync(layout.etc.folder, { recursive: true });
  writeFileSync(join(layout.etc.folder, "passwd"), "ic-csp-vault:x:1000:1001::/:/bin/false\n");
  writeFileSync(join(layout.etc.folder, "group"), "ic-csp-vault:x:1001:\n");
  const node = join(layout.mountPoints.crypto, "node_sks");
  chownSync(node, 1000, 1001);
  chmodSync(node, 0o2750);
  expect((await inspect(keysCheck)).findings).toEqual([]);
  chownSync(node, 1000, 1000);
  expect(texts((await inspect(keysCheck)).findings)).toEqual([`wrong: ${node} is not closed to others`]);
});

test("keys that are not there, or whose place is not mounted, could not be inspected", async () => {
  putKeys();
  rmSync(layout.config.storeKey);
  run("umount", layout.mountPoints.crypto);
  expect(texts((await inspect(keysCheck)).findings)).toEqual([
    `unknown: there is no ${layout.config.storeKey}`,
    `unknown: nothing is mounted at ${layout.mountPoints.crypto}`,
  ]);
});

test("options of a mount that someone changed are seen, and repaired by the command that is named", async () => {
  const { data } = layout.mountPoints;
  const judge = async (): Promise<readonly Finding[]> =>
    judgeMounts(
      await mounts(host),
      promisedMounts({ layout, chain: guestos }).filter(({ mountPoint }) => mountPoint === data),
    );
  expect(await judge()).toEqual([]);
  run("mount", "-o", "remount,exec", data);
  const [finding] = await judge();
  expect(finding?.problem.what).toBe(`${data} is not mounted as it should be`);
  run("sh", "-c", finding?.problem.todo ?? "false");
  expect(await judge()).toEqual([]);
  run("umount", data);
  expect(texts(await judge())).toEqual(["wrong: not everything is mounted"]);
});

test("what is not mounted at all is one finding", async () => {
  const { findings } = await inspect(mountsCheck);
  expect(findings[0]?.problem.found).toBe(
    `nothing at ${[layout.mountPoints.boot, layout.mountPoints.efi, layout.etc.ssh, layout.etc.nodeExporter].join(", ")}`,
  );
});

test("a file system that is full is seen, and one that is nearly full", async () => {
  expect((await inspect(spaceCheck)).findings).toEqual([]);
  writeFileSync(join(layout.mountPoints.var, "log"), Buffer.alloc(970 * 1024));
  writeFileSync(join(layout.mountPoints.data, "state"), Buffer.alloc(1024 * 1024));
  run("umount", layout.mountPoints.backup);
  expect(texts((await inspect(spaceCheck)).findings)).toEqual([
    `notice: ${layout.mountPoints.var} is nearly full`,
    `wrong: ${layout.mountPoints.data} is full`,
    `unknown: nothing is mounted at ${layout.mountPoints.backup}`,
  ]);
});

async function certify(days: number): Promise<void> {
  const folder = layout.config.nodeExporter;
  mkdirSync(folder, { recursive: true });
  const keyFile = join(folder, "node_exporter.key");
  await generateKey(host, keyFile);
  const work = join(layout.run, "certify");
  mkdirSync(work, { recursive: true });
  const [from, until] = [new Date(Date.now() - 3_600_000), new Date(Date.now() + days * 86_400_000)];
  const certificate = await selfSignedCertificate(host, { keyFile, name: "node-exporter", from, until, folder: work });
  rmSync(work, { recursive: true });
  writeFileSync(join(folder, "node_exporter.crt"), certificate);
}

test("openssl's certificate is read: far from its end, and near to it", async () => {
  await certify(3650);
  expect(await inspect(certificateCheck)).toEqual({ fact: expect.stringMatching(/^valid until \d{4}-\d\d-\d\d$/) as string, findings: [] });
  await certify(40);
  expect(texts((await inspect(certificateCheck)).findings)).toEqual(["notice: node_exporter's certificate expires soon"]);
});

test("a certificate that is not there, or none, could not be inspected", async () => {
  const examined = async (): Promise<string | undefined> =>
    (await examine([certificateCheck], testNode(host, { layout }), host.signal))[0]?.findings.map(({ problem }) => problem.what)[0];
  expect(await examined()).toBe("there is no certificate of node_exporter");
  put(join(layout.config.nodeExporter, "node_exporter.crt"), "-----BEGIN CERTIFICATE-----\n", 0o644);
  expect(await examined()).toBe("node_exporter's certificate cannot be read");
});

const STABLE = { alternative: "A", cycle: "stable", trial: undefined } as const;

test("a stable node has nothing to say of its upgrades, also with an image ready to be tried", async () => {
  expect(await inspect(upgradesCheck)).toEqual({ fact: "slot A runs, and is what the boot loader starts", findings: [] });
  await makeNode({ records: { A: proven, B: installed } });
  expect((await inspect(upgradesCheck)).findings).toEqual([]);
});

test.each<readonly [string, SlotMachineOptions, readonly string[]]>([
  [
    "a trial",
    { running: "B", state: { alternative: "B", cycle: "failsafe_check", trial: "B" }, records: { A: proven, B: installed } },
    ["notice: the running system is on trial: the next boot leaves it"],
  ],
  [
    "a commit",
    { state: { alternative: "B", cycle: "first_boot", trial: "B" }, records: { A: proven, B: installed } },
    ["notice: an upgrade waits for its restart"],
  ],
  [
    "another system than the boot loader was set to",
    { state: { ...STABLE, alternative: "B" }, records: { A: proven, B: proven } },
    ["wrong: the boot loader is set to start the other system, and did not"],
  ],
  [
    "a system that failed",
    { records: { A: proven, B: { kind: "failed", reason: "it was started and not confirmed", at: "2026-11-20T14:00:00.000Z" } } },
    ["notice: the last upgrade was not kept, and there is no system to go back to"],
  ],
])("%s is told", async (_, options, expected) => {
  await makeNode(options);
  expect(texts((await inspect(upgradesCheck)).findings)).toEqual(expected);
});

test("a slot's record that cannot be read is wrong, an image that is refused is to be known, a list that cannot be read is unknown", async () => {
  writeFileSync(join(layout.config.slots, "B.json"), "{");
  const images = [{ sha256: HASH, reason: "it was started and not confirmed", at: "2026-11-20T14:00:00.000Z" }];
  writeFileSync(layout.config.refusedImages, JSON.stringify({ images }));
  expect(texts((await inspect(upgradesCheck)).findings)).toEqual([
    "wrong: the record of slot B cannot be read",
    "notice: an image is refused, because it failed",
  ]);
  writeFileSync(layout.config.refusedImages, "{");
  expect(texts((await inspect(upgradesCheck)).findings)).toContain("unknown: the list of refused images cannot be read");
});

test("a boot loader's block on a partition that is not mounted is not inspected", async () => {
  run("umount", layout.mountPoints.grub);
  writeFileSync(layout.grubenv, blockOf(STABLE, []));
  await expect(inspect(upgradesCheck)).rejects.toThrow(`nothing is mounted at ${layout.mountPoints.grub}`);
});
