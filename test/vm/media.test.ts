import { createHash } from "node:crypto";
import { expect, test, vi } from "vitest";
import { badFiles, badTar, emptyTars, hostileTars, REFUSED } from "../support/bad-media.ts";
import { rawTar } from "../support/raw-tar.ts";
import { guestosBoot, runDocument, type RunDocument } from "./support/chain.ts";
import { configMedium, rawMedium } from "./support/media.ts";
import { BOOT_TIMEOUT } from "./support/node.ts";
import { blankDisk, runSteps, type Step, type StepResult, workbench } from "./support/workbench.ts";

/**
 * The configuration medium in all its kinds, good, bad, late and gone; on a node whose disk is an NVMe one.
 *
 * Each piece begins on a node that is provisioned and not configured, without any medium, and leaves it so.
 */

// A piece may have to boot and provision the node again, more than once.
vi.setConfig({ testTimeout: 5 * BOOT_TIMEOUT });

const NAME = "media";
const CASES = "/dev/shm/cases";
/** Never removable: one has the serial `config`, the other one has nothing but what is put on it. */
const SERIAL_DISK = "/dev/vda";
const PLAIN_DISK = "/dev/sda";

/** One of each kind: the real-tool tests take in all that is bad or hostile (test/system/units/injection/injection.test.ts). */
const bad = ["nftables.conf", "nns_public_key.pem", "node_operator_private_key.pem"].map(
  (name) => badFiles.find(({ file }) => file === name) ?? raise(name),
);
const hostile = [
  ...["a symbolic link and a file through it", "..", "a tar that was cut off", "a bomb of folders"],
  "everything one folder too deep",
].map((name) => [name, hostileTars.get(name) ?? emptyTars.get(name) ?? raise(name)] as const);

function raise(name: string): never {
  throw new Error(`there is no ${name}`);
}

const tarA = rawTar([
  { name: "network.conf", content: "hostname=node-a\n" },
  { name: "ic_crypto/node/key.pb", content: "key a" },
]);
const tarB = rawTar([{ name: "network.conf", content: "hostname=node-b\n" }]);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const cases = new Map<string, Uint8Array>([
  ["a.tar", tarA],
  ["b.tar", tarB],
  ...bad.map((one, index) => [`bad-${index}.tar`, badTar(one)] as const),
  ...hostile.map(([, tar], index) => [`hostile-${index}.tar`, tar] as const),
]);
const casesMedium = await rawMedium("cases", Object.fromEntries(cases), "CASES");
const usbA = { id: "usb-a", image: await rawMedium("usb-a", { "ic-bootstrap.tar": tarA }) };
const usbB = { id: "usb-b", image: await configMedium("usb-b", { "network.conf": "hostname=node-b\n" }) };

let provisioning: RunDocument;

const node = workbench({
  name: NAME,
  diskInterface: "nvme",
  extraDisks: [
    { path: await blankDisk(`${NAME}-serial`, "64M"), serial: "config" },
    { path: await blankDisk(`${NAME}-plain`, "64M"), interface: "scsi" },
  ],
  media: [{ id: "cases", image: casesMedium }],
  async prepare(vm) {
    await vm.shell.ok(`
      set -e
      mkdir -p ${CASES} /run/m
      until device=$(blkid --label CASES); do sleep 0.2; done
      mount -o ro "$device" /run/m; cp /run/m/* ${CASES}; umount /run/m
      mount -t tmpfs tmpfs /mnt
    `);
    await vm.unplug({ id: "cases" });
    const results = await runSteps(vm, [{ name: "run", args: "--unit volume-mounts" }]);
    if (results.get("run")?.status !== 0) throw new Error(`the first run failed: ${JSON.stringify(results.get("run"))}`);
    provisioning = documentOf(results.get("run"));
  },
});

/** No medium, nothing configured, nothing below /var/lib/ic. */
const RESET = `
  rm -rf /mnt/* /boot/config/*.conf /boot/config/inject*.json /boot/config/CONFIGURED /boot/config/accounts_ssh_authorized_keys
  rm -rf /var/lib/ic/data/* /var/lib/ic/crypto/node
  for disk in ${SERIAL_DISK} ${PLAIN_DISK}; do dd if=/dev/zero of=$disk bs=1M count=4 conv=fsync status=none; blockdev --rereadpt $disk; done
  udevadm settle
`;

/** Everything on the config partition, and what a tar could have put elsewhere. */
const TREE = "find /boot/config /var/lib/ic -printf '%p %y %m %s %T@\\n' | sort";

function makeMedium(device: string, tar: string, label = "OTHER"): string {
  return `mkfs.vfat --mbr=n -n ${label} ${device} >/dev/null; mount -t vfat ${device} /run/m; cp ${CASES}/${tar} /run/m/ic-bootstrap.tar; umount /run/m; udevadm settle`;
}

/** As other tools make it: a label in small letters in the boot sector alone, and blanks where "FAT16" would be. */
function makeOddMedium(device: string, tar: string): string {
  return `
    mkfs.vfat --mbr=n -F 16 ${device} >/dev/null
    printf 'config     ' | dd of=${device} bs=1 seek=43 conv=notrunc,fsync status=none
    printf '        ' | dd of=${device} bs=1 seek=54 conv=notrunc,fsync status=none
    mount -t vfat ${device} /run/m; cp ${CASES}/${tar} /run/m/ic-bootstrap.tar; umount /run/m; udevadm trigger --settle ${device}
  `;
}

function documentOf(result: StepResult | undefined): RunDocument {
  if (result === undefined) throw new Error("there was no such step");
  return result.document;
}

function unitOf(document: RunDocument, name: string): RunDocument["units"][number] {
  const unit = document.units.find((one) => one.name === name);
  if (unit === undefined) throw new Error(`${name} is not there:\n${JSON.stringify(document, undefined, 2)}`);
  return unit;
}

test("an NVMe disk is provisioned like any other one", () =>
  node.use(async (vm) => {
    expect(provisioning.outcome).toBe("done");
    const devices = await vm.shell.ok("lsblk --list --noheadings --output NAME,FSTYPE,PARTLABEL /dev/nvme0n1");
    expect(devices).toMatch(/^nvme0n1p10 +crypto_LUKS +store$/m);
    expect(devices).toMatch(/^nvme0n1p10-crypt +LVM2_member *$/m);
  }));

test("without a medium the configuration fails after a while, what needs it is left out, and the rest is done", () =>
  node.use(async (vm) => {
    const { status, stdout } = await guestosBoot(vm, "--unit injected-data --unit machine-id");
    expect(status).toBe(3);
    const text = stdout.replaceAll(/\s+/g, " ");
    expect(text).toContain("config-injection failed");
    expect(text).toContain("no configuration medium was found");
    expect(text).toContain("nvme0n1 (the system's own disk)");
    expect(text).toContain("vda (serial config; no VFAT on it)");
    expect(text).toContain("attach the medium and boot again");
    expect(text).toContain("skipped injected-data");
    expect(text).toMatch(/machine-id (changed|unchanged)/);
  }));

test("a medium that comes late is waited for, and stored", () =>
  node.use(async (vm) => {
    // Plugged in as soon as the unit waits: the record says when.
    await vm.shell.ok(`
      record=/run/guestos-boot/record.jsonl
      from=$(wc -l <$record)
      setsid guestos-boot --unit config-injection --json >/run/late.out 2>/dev/null &
      echo $! >/run/late.pid
      until [[ $(tail -n +$((from + 1)) $record) == *'"kind":"retry"'* ]]; do sleep 0.2; done
    `);
    await vm.plug(usbB);
    const stdout = await vm.shell.ok("while [[ -d /proc/$(</run/late.pid) ]]; do sleep 0.2; done; cat /run/late.out");
    const stored = await vm.shell.ok("cat /boot/config/network.conf");
    await vm.unplug(usbB);
    await vm.shell.ok(RESET);
    expect(unitOf(runDocument({ status: 0, stdout, stderr: "", bytes: Buffer.from(stdout) }), "config-injection").outcome).toBe("changed");
    expect(stored).toBe("hostname=node-b\n");
  }));

test("a medium is known by its serial or its label, in small letters and in the boot sector too, also on the first partition; two must say the same", () =>
  node.use(async (vm) => {
    // A drive without a disc is no obstacle.
    await vm.qmp("device_add", { driver: "scsi-cd", id: "reader", bus: "scsi2.0" });
    const args = "--unit config-injection";
    const reset = "rm -f /boot/config/injection.json /boot/config/*.conf";
    const steps: readonly Step[] = [
      { name: "serial", before: makeMedium(SERIAL_DISK, "a.tar"), args },
      { name: "serial and label, same tar", before: `${reset}\n${makeMedium(PLAIN_DISK, "a.tar", "CONFIG")}`, args },
      { name: "serial and label, different tars", before: `${reset}\n${makeMedium(PLAIN_DISK, "b.tar", "CONFIG")}`, args },
      {
        name: "partition",
        before: `
          dd if=/dev/zero of=${PLAIN_DISK} bs=1M count=4 conv=fsync status=none
          dd if=/dev/zero of=${SERIAL_DISK} bs=1M count=4 conv=fsync status=none
          printf 'label: gpt\nsize=20MiB\nsize=20MiB\n' | sfdisk --quiet --lock=yes ${SERIAL_DISK}
          udevadm settle
          ${makeMedium(`${SERIAL_DISK}2`, "b.tar")}
          ${makeMedium(`${SERIAL_DISK}1`, "a.tar")}
        `,
        args,
      },
      {
        name: "label alone",
        before: `${reset}\nwipefs --quiet --all ${SERIAL_DISK}1 ${SERIAL_DISK}2 ${SERIAL_DISK}; udevadm settle\n${makeMedium(PLAIN_DISK, "b.tar", "CONFIG")}`,
        args,
      },
      { name: "boot sector alone", before: `${reset}\n${makeOddMedium(PLAIN_DISK, "a.tar")}`, args },
      {
        name: "a tar that is at /mnt",
        before: `${reset}\nwipefs --quiet --all ${PLAIN_DISK}; udevadm settle; cp ${CASES}/a.tar /mnt/ic-bootstrap.tar`,
        args,
      },
    ];
    const results = await runSteps(vm, steps, { last: RESET });
    await vm.qmp("device_del", { id: "reader" });
    const outcome = (name: string): RunDocument["units"][number] => unitOf(documentOf(results.get(name)), "config-injection");
    const taken = (name: string): string => outcome(name).provisioned[0] ?? "";
    expect(taken("serial"), JSON.stringify(outcome("serial"))).toContain(`on ${SERIAL_DISK} (sha256 ${sha256(tarA)})`);
    expect(outcome("serial and label, same tar"), JSON.stringify(outcome("serial and label, same tar"))).toMatchObject({
      outcome: "changed",
    });
    const { problem } = outcome("serial and label, different tars");
    expect(results.get("serial and label, different tars")).toMatchObject({ status: 3, wroteConfig: false });
    expect(problem?.what).toBe("there are two configuration media, and their contents differ");
    for (const part of [SERIAL_DISK, sha256(tarA), PLAIN_DISK, sha256(tarB)]) expect(problem?.found).toContain(part);
    expect(taken("partition"), JSON.stringify(outcome("partition"))).toContain(`on ${SERIAL_DISK}1 (sha256 ${sha256(tarA)})`);
    expect(taken("label alone"), JSON.stringify(outcome("label alone"))).toContain(`on ${PLAIN_DISK} (sha256 ${sha256(tarB)})`);
    expect(taken("boot sector alone"), JSON.stringify(outcome("boot sector alone"))).toContain(`on ${PLAIN_DISK} (sha256 ${sha256(tarA)})`);
    expect(taken("a tar that is at /mnt")).toContain(`on /mnt/ic-bootstrap.tar (sha256 ${sha256(tarA)})`);
  }));

test("nothing of a bad medium is stored, and what is wrong is said to the column", () =>
  node.use(async (vm) => {
    const before = await vm.shell.ok(TREE);
    const steps = bad.map(({ file }, index): Step => ({
      name: `bad ${index} ${file}`,
      before: `cp ${CASES}/bad-${index}.tar /mnt/ic-bootstrap.tar`,
      args: "--unit config-injection",
    }));
    const results = await runSteps(vm, steps, { last: "rm /mnt/ic-bootstrap.tar" });
    expect(await vm.shell.ok(TREE)).toBe(before);
    for (const [index, { file, place, found }] of bad.entries()) {
      const name = `bad ${index} ${file}`;
      const { outcome, problem } = unitOf(documentOf(results.get(name)), "config-injection");
      expect(results.get(name), name).toMatchObject({ status: 3, wroteConfig: false });
      expect(outcome, name).toBe("failed");
      expect(problem?.where?.file, name).toBe(`/mnt/ic-bootstrap.tar: ${file}`);
      const { line, column } = problem?.where ?? {};
      expect(line === undefined ? undefined : `${line}:${column}`, name).toBe(place);
      expect(`${problem?.what} ${problem?.found}`, name).toMatch(found);
      expect(problem?.todo, name).toBeTruthy();
    }
  }));

test("a hostile tar, and one of nothing, is refused as a whole, and nothing appears outside of it", () =>
  node.use(async (vm) => {
    const before = await vm.shell.ok(TREE);
    const steps = hostile.map(([name], index): Step => ({
      name,
      before: `cp ${CASES}/hostile-${index}.tar /mnt/ic-bootstrap.tar`,
      args: "--unit config-injection",
    }));
    const results = await runSteps(vm, steps, { last: "rm /mnt/ic-bootstrap.tar" });
    expect(await vm.shell.ok(TREE)).toBe(before);
    expect(await vm.shell.ok("find / -xdev -name ESCAPED; find /run /tmp /dev/shm -name ESCAPED")).toBe("");
    for (const { name } of steps) {
      const { outcome, problem } = unitOf(documentOf(results.get(name)), "config-injection");
      expect(results.get(name), name).toMatchObject({ status: 3, wroteConfig: false });
      expect(outcome, name).toBe("failed");
      expect(problem?.what, name).toMatch(REFUSED);
      expect(problem?.where?.file, name).toMatch(/^\/mnt\/ic-bootstrap\.tar/);
    }
  }));

test("a medium that is pulled out too early is asked for again; once configured, no medium changes anything", () =>
  node.use(async (vm) => {
    await vm.plug(usbA);
    const first = await runSteps(vm, [
      {
        name: "config",
        before: "until blkid --label CONFIG >/dev/null; do sleep 0.2; done; udevadm settle",
        args: "--unit config-injection",
      },
    ]);
    await vm.unplug(usbA);
    const second = await runSteps(vm, [{ name: "pulled out", args: "--unit injected-data" }]);
    const between = await vm.shell.ok("ls /boot/config /var/lib/ic/crypto");
    await vm.plug(usbA);
    const third = await runSteps(vm, [
      { name: "back", before: "until blkid --label CONFIG >/dev/null; do sleep 0.2; done; udevadm settle", args: "--unit injected-data" },
      { name: "again", args: "--unit injected-data" },
    ]);
    await vm.unplug(usbA);
    await vm.plug(usbB);
    const fourth = await runSteps(vm, [
      {
        name: "another one",
        before: "until blkid --label CONFIG >/dev/null; do sleep 0.2; done; udevadm settle",
        args: "--unit injected-data --unit config-injection",
      },
    ]);
    await vm.unplug(usbB);
    const stored = await vm.shell.ok(
      "cat /boot/config/network.conf /var/lib/ic/crypto/node/key.pb; stat -c ' %a %U' /var/lib/ic/crypto/node/key.pb; ls /run/guestos-boot",
    );
    await vm.shell.ok(RESET);

    const outcome = (results: ReadonlyMap<string, StepResult>, name: string, unit: string) => unitOf(documentOf(results.get(name)), unit);
    expect(outcome(first, "config", "config-injection").outcome, JSON.stringify(first.get("config"))).toBe("changed");
    expect(outcome(second, "pulled out", "injected-data").problem?.what).toBe("no configuration medium was found");
    expect(second.get("pulled out")).toMatchObject({ status: 3, wroteConfig: false });
    expect(between).toContain("network.conf");
    expect(between).not.toMatch(/CONFIGURED|^node$/m);
    expect(outcome(third, "back", "injected-data").outcome, JSON.stringify(third.get("back"))).toBe("changed");
    for (const [results, name] of [
      [third, "again"],
      [fourth, "another one"],
    ] as const) {
      expect(results.get(name), name).toMatchObject({ status: 0, wroteConfig: false });
      expect(
        documentOf(results.get(name)).units.flatMap(({ provisioned, activated }) => [...provisioned, ...activated]),
        name,
      ).toEqual([]);
    }
    expect(stored).toMatch(/^hostname=node-a\nkey a 640 ic-csp-vault\n/);
    expect(stored).not.toMatch(/^medium$/m);
  }));
