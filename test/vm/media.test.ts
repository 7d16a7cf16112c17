import { generateKeyPairSync } from "node:crypto";
import { expect, test, vi } from "vitest";
import type { VirtualMachine } from "../../vm/virtual-machine.ts";
import { type RawEntry, rawTar } from "../support/raw-tar.ts";
import { guestosBoot, runDocument, type RunDocument } from "./support/chain.ts";
import { configMedium } from "./support/media.ts";
import { BOOT_TIMEOUT } from "./support/node.ts";
import { blankDisk, runSteps, type Step, workbench } from "./support/workbench.ts";

/**
 * Every way in which a configuration reaches a node, and what must not get through. The disk is an NVMe one, whose
 * partitions are named otherwise; two small virtio disks play media, one of them with the serial `config`.
 *
 * Each piece begins on a node that was never configured.
 */

// A piece may have to boot the node anew.
vi.setConfig({ testTimeout: 3 * BOOT_TIMEOUT });

const NAME = "media";
/** By their virtio serials: which one is vda is the kernel's choice. */
const SERIAL = "/dev/disk/by-id/virtio-config";
const PLAIN = "/dev/disk/by-id/virtio-plain";

const node = workbench({
  name: NAME,
  diskInterface: "nvme",
  extraDisks: [
    { path: await blankDisk(`${NAME}-serial`, "64M"), serial: "config" },
    { path: await blankDisk(`${NAME}-plain`, "64M"), serial: "plain" },
  ],
  async prepare(vm) {
    await vm.shell.ok("mount -t tmpfs tmpfs /mnt && guestos-boot --unit mount-boot", { timeout: BOOT_TIMEOUT });
  },
});

/** Back to a node that was never configured, with no medium. */
const CLEAR = `
  cd /boot/config
  rm -rf CONFIGURED injection.json injected-data.json *.conf accounts_ssh_authorized_keys /mnt/* /run/tar /run/boot-medium
  wipefs --quiet --all ${SERIAL} ${PLAIN}
  dd if=/dev/zero of=${SERIAL} bs=1M count=4 status=none
  dd if=/dev/zero of=${PLAIN} bs=1M count=4 status=none
  blockdev --rereadpt ${SERIAL}
  udevadm settle
  cd /
`;

/** Puts a VFAT file system with a tar of that network.conf onto a device. */
function medium(device: string, networkConf: string, label = ""): string {
  return `
    rm -rf /run/tar; mkdir -p /run/tar /run/boot-medium
    printf '${networkConf}' >/run/tar/network.conf
    mkfs.vfat -I ${label === "" ? "" : `-n ${label}`} ${device} >/dev/null
    mount -t vfat ${device} /run/boot-medium
    tar --create --file /run/boot-medium/ic-bootstrap.tar --directory /run/tar .
    umount /run/boot-medium
    udevadm settle
  `;
}

const STORED = "cat /boot/config/network.conf; test ! -e /boot/config/CONFIGURED";

function unitOf(run: RunDocument, name: string): RunDocument["units"][number] {
  const unit = run.units.find((one) => one.name === name);
  if (unit === undefined) throw new Error(`${name} is not in the run: ${JSON.stringify(run)}`);
  return unit;
}

async function step(
  vm: VirtualMachine,
  before: string,
  args = "--unit config-injection",
): Promise<{ readonly status: number; readonly run: RunDocument }> {
  const result = (await runSteps(vm, [{ name: "step", before, args }])).get("step");
  if (result === undefined) throw new Error("the step was not run");
  return { status: result.status, run: result.document };
}

test("without a medium config-injection gives up with what it looked for, what needs it is skipped, and the rest is done", () =>
  node.use(async (vm) => {
    await vm.shell.ok(CLEAR);
    const started = Date.now();
    const { status, run } = await step(vm, "", "--unit config-injection --unit network --unit hostname --unit machine-id");
    expect(status).toBe(3);
    expect(unitOf(run, "config-injection")).toMatchObject({
      outcome: "failed",
      problem: { what: "no configuration medium was found", found: expect.stringContaining("nvme0n1 (the system's own disk)") },
    });
    // It was looked for again for ten seconds: late media exist.
    expect(Date.now() - started).toBeGreaterThan(10_000);
    expect(unitOf(run, "network")).toMatchObject({ outcome: "skipped", because: ["config-injection"] });
    expect(unitOf(run, "machine-id").outcome).toMatch(/changed/);
    await vm.shell.ok("test ! -e /boot/config/CONFIGURED && test ! -e /boot/config/injection.json && ! findmnt /run/guestos-boot/medium");
  }));

test("a medium that appears while it is looked for is taken in", () =>
  node.use(async (vm) => {
    await vm.shell.ok(`${CLEAR} ${medium(SERIAL, "hostname=late\\n")} dd if=${SERIAL} of=/run/late.img bs=1M status=none
      dd if=/dev/zero of=${SERIAL} bs=1M count=4 status=none; udevadm settle`);
    // It is written as soon as the first look has found nothing.
    const appear = `(
      until grep --quiet '"kind":"retry"' /run/guestos-boot/record.jsonl; do read -rt 0.1 <> <(:) || true; done
      dd if=/run/late.img of=${SERIAL} bs=1M status=none
    ) &`;
    const { status, run } = await step(vm, `rm -f /run/guestos-boot/record.jsonl; touch /run/guestos-boot/record.jsonl; ${appear}`);
    expect(run.units, JSON.stringify(run)).toContainEqual(expect.objectContaining({ name: "config-injection", outcome: "changed" }));
    expect(status).toBe(0);
    expect(await vm.shell.ok(STORED)).toBe("hostname=late\n");
  }));

for (const [kind, prepare] of Object.entries({
  "a disk with the serial config": medium(SERIAL, "hostname=found\\n"),
  "a file system with the label CONFIG on any disk": medium(PLAIN, "hostname=found\\n", "CONFIG"),
  "the first partition of a partitioned medium": `
    printf 'label: dos\\nsize=20M, type=c\\nsize=20M, type=c\\n' | sfdisk --quiet ${SERIAL}; udevadm settle
    ${medium(`${SERIAL}-part1`, "hostname=found\\n")}`,
  "a tar put directly into place":
    "mkdir /run/tar; printf 'hostname=found\\n' >/run/tar/network.conf; tar -cf /mnt/ic-bootstrap.tar -C /run/tar .",
})) {
  test(`${kind} is a medium; taken in once, it changes nothing the second time`, () =>
    node.use(async (vm) => {
      const { status, run } = await step(vm, `${CLEAR} ${prepare}`);
      expect(unitOf(run, "config-injection"), JSON.stringify(run)).toMatchObject({ outcome: "changed" });
      expect(status).toBe(0);
      expect(await vm.shell.ok(STORED)).toBe("hostname=found\n");
      expect(unitOf((await step(vm, "")).run, "config-injection")).toMatchObject({ outcome: "unchanged", provisioned: [], activated: [] });
    }));
}

test("two media that say the same are one; two that do not are a conflict that names both, and nothing is stored", () =>
  node.use(async (vm) => {
    const copy = `dd if=${SERIAL} of=${PLAIN} bs=1M status=none; udevadm settle`;
    const same = await step(vm, `${CLEAR} ${medium(SERIAL, "hostname=one\\n", "CONFIG")} ${copy}`);
    expect(same.status, JSON.stringify(same.run)).toBe(0);
    const different = await step(vm, `${CLEAR} ${medium(SERIAL, "hostname=one\\n")} ${medium(PLAIN, "hostname=two\\n", "CONFIG")}`);
    expect(different.status).toBe(3);
    expect(unitOf(different.run, "config-injection").problem).toMatchObject({
      what: expect.stringContaining("two configuration media"),
      found: expect.stringMatching(/vda.*vdb|vdb.*vda/),
    });
    await vm.shell.ok("test ! -e /boot/config/network.conf && test ! -e /boot/config/injection.json");
  }));

interface BadValue {
  readonly file: string;
  readonly content: string;
  /** The line of the first mistake; it begins at column 1 or later. */
  readonly line: number;
  readonly says: RegExp;
}

const { publicKey: noSshKey } = generateKeyPairSync("ed25519", {
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

/** One of each kind; the whole tables are in test/unit/config. */
const BAD_VALUES: readonly BadValue[] = [
  { file: "network.conf", content: "hostname=ok\nipv6_address=2001:db8::1\n", line: 2, says: /ipv6_address/ },
  { file: "network.conf", content: "ipv4_address=10.0.0.300/24\n", line: 1, says: /ipv4_address/ },
  { file: "network.conf", content: "# comment\n\nhostname=-bad-\n", line: 3, says: /hostname/ },
  { file: "network.conf", content: "name_servers=8.8.8.8 $(reboot)\n", line: 1, says: /name_servers/ },
  { file: "network.conf", content: "hostnam=x\n", line: 1, says: /no such key/ },
  { file: "nns.conf", content: "nns_url=ftp://x\n", line: 1, says: /nns_url/ },
  { file: "backup.conf", content: "backup_retention_time_secs=soon\n", line: 1, says: /backup_retention_time_secs/ },
  { file: "journalbeat.conf", content: "journalbeat_hosts=a host:99999\n", line: 1, says: /journalbeat_hosts/ },
  { file: "log.conf", content: "no equals sign\n", line: 1, says: /no =/ },
  { file: "accounts_ssh_authorized_keys/admin", content: noSshKey, line: 1, says: /key/ },
];

test("each kind of bad value stops config-injection with file, line and column, and nothing of the medium is stored", () =>
  node.use(async (vm) => {
    await vm.shell.ok(CLEAR);
    const steps: Step[] = BAD_VALUES.map(({ file, content }, index) => ({
      name: String(index),
      before: `rm -rf /run/tar; mkdir -p "$(dirname /run/tar/${file})"
        base64 -d >/run/tar/${file} <<<${Buffer.from(content).toString("base64")}
        tar -cf /mnt/ic-bootstrap.tar -C /run/tar .`,
      args: "--unit config-injection",
    }));
    const results = await runSteps(vm, steps);
    for (const [index, { file, line, says, content }] of BAD_VALUES.entries()) {
      const result = results.get(String(index));
      const problem = result === undefined ? undefined : unitOf(result.document, "config-injection").problem;
      expect(result?.status, content).toBe(3);
      expect(problem?.where, content).toMatchObject({ file: expect.stringContaining(file), line, column: expect.any(Number) });
      expect(JSON.stringify(problem), content).toMatch(says);
      expect(problem?.todo, content).toBeDefined();
    }
    await vm.shell.ok("cd /boot/config; test ! -e injection.json -a ! -e CONFIGURED; ! ls *.conf accounts_ssh_authorized_keys 2>/dev/null");
  }));

const GOOD: RawEntry = { name: "network.conf", content: "hostname=fine\n" };
const HOSTILE: Readonly<Record<string, Buffer>> = {
  "a symbolic link": rawTar([GOOD, { name: "nns.conf", type: "2", linkname: "/boot/config/store.keyfile" }]),
  "a hard link": rawTar([GOOD, { name: "nns.conf", type: "1", linkname: "/etc/shadow" }]),
  "a device": rawTar([GOOD, { name: "ic_crypto/sda", type: "4" }]),
  "a way out of the folder": rawTar([GOOD, { name: "ic_state/../../../../etc/cron.d/x", content: "x" }]),
  "an absolute name": rawTar([GOOD, { name: "/etc/cron.d/x", content: "x" }]),
  "a name that stands there twice": rawTar([GOOD, { name: "./network.conf", content: "hostname=other\n" }]),
  "a size that lies": rawTar([GOOD, { name: "ic_state/big", content: "x", size: 0o77777777777 }]),
  "a configuration as large as a disk": rawTar([{ name: "network.conf", content: `hostname=${"a".repeat(70_000)}\n` }]),
  "a cut": rawTar([GOOD, { name: "nns.conf", content: "nns_url=http://x\n".repeat(100) }], { end: false }).subarray(0, 1300),
  "a broken header": rawTar([GOOD, { name: "nns.conf", badChecksum: true }]),
  "no tar at all": Buffer.from("#!/bin/sh\nreboot\n".repeat(100)),
};

test("a hostile tar is refused whole, whatever is wrong with it, and leaves no trace", () =>
  node.use(async (vm) => {
    const before = await vm.shell.ok(`${CLEAR} sync; find / -xdev -newer /proc/1 -type f | sort | sha256sum; find /boot/config | sort`);
    const results = await runSteps(
      vm,
      Object.entries(HOSTILE).map(([name, tar]) => ({
        name,
        before: `base64 -d <<<${tar.toString("base64")} >/mnt/ic-bootstrap.tar`,
        args: "--unit config-injection",
      })),
    );
    for (const name of Object.keys(HOSTILE)) {
      const result = results.get(name);
      expect(result?.status, name).toBe(3);
      expect(result?.wroteConfig, name).toBe(false);
      expect(result === undefined ? undefined : unitOf(result.document, "config-injection"), name).toMatchObject({
        outcome: "failed",
        problem: { what: expect.any(String), todo: expect.any(String) },
      });
    }
    const after = await vm.shell.ok(
      "rm /mnt/ic-bootstrap.tar; find / -xdev -newer /proc/1 -type f | sort | sha256sum; find /boot/config | sort",
    );
    expect(after).toBe(before);
  }));

test("a USB medium that is pulled too early is missed with a clear error, and taken in when it is back; afterwards no medium counts", () =>
  node.use(async (vm) => {
    const image = await configMedium("whole", { "network.conf": "hostname=whole\n", "ic_state/checkpoint": "state\n" });
    const other = await configMedium("other", { "network.conf": "hostname=other\n", "ic_state/checkpoint": "other\n" });
    await vm.shell.ok(CLEAR);
    await vm.plug({ id: "whole", image });
    await appeared(vm);
    expect((await step(vm, "")).status).toBe(0);

    await vm.unplug({ id: "whole" });
    const missing = runDocument(await guestosBoot(vm, "--unit injected-data --json"));
    expect(unitOf(missing, "injected-data")).toMatchObject({ outcome: "failed", problem: { what: "no configuration medium was found" } });
    await vm.shell.ok("test ! -e /boot/config/CONFIGURED && test ! -e /var/lib/ic/data/ic_state");

    await vm.plug({ id: "whole", image });
    await appeared(vm);
    const run = runDocument(await guestosBoot(vm, "--unit injected-data --json"));
    expect(unitOf(run, "injected-data"), JSON.stringify(run)).toMatchObject({ outcome: "changed" });
    expect(await vm.shell.ok("cat /var/lib/ic/data/ic_state/checkpoint && test -e /boot/config/CONFIGURED")).toBe("state\n");
    // The store of this disk bears the name of its partition.
    await vm.shell.ok("test -e /dev/mapper/nvme0n1p10-crypt && findmnt /var/lib/ic/data");

    await vm.unplug({ id: "whole" });
    await vm.plug({ id: "other", image: other });
    await appeared(vm);
    const { run: second } = await step(vm, "", "--unit injected-data --unit config-injection");
    expect(unitOf(second, "config-injection").outcome).toBe("unchanged");
    expect(unitOf(second, "injected-data").outcome).toBe("unchanged");
    expect(await vm.shell.ok("cat /boot/config/network.conf")).toBe("hostname=whole\n");
  }));

/** Waits, in the guest, until udev knows the medium in the card reader. */
async function appeared(vm: VirtualMachine): Promise<void> {
  await vm.shell.ok("udevadm wait --timeout=120 /dev/disk/by-label/CONFIG && udevadm settle", { timeout: 180_000 });
}
