import { expect, vi } from "vitest";
import { type Intent } from "../../../src/config/state/intent.ts";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import type { VirtualMachine } from "../../../lab/virtual-machine.ts";
import { volumeDevice } from "../../support/two-keys.ts";
import { type RunDocument } from "../support/chain.ts";
import { BOOT_TIMEOUT } from "../support/node.ts";
import { blankDisk, runSteps, type StepResult, workbench } from "../support/workbench.ts";

// A piece may have to boot and provision the node again, more than once.
vi.setConfig({ testTimeout: 5 * BOOT_TIMEOUT });

const NAME = "conflicts";
export const INTENTS = ["store", "var-A", "volumes", ...guestosLayout.volumes.map(({ name }) => `filesystem-${name}`)];
export const FOLDERS = ["/var", "/var/lib/ic/data", "/var/lib/ic/crypto", "/var/lib/ic/backup"];

interface Facts {
  /** "/dev/sda": which of the two disks comes first is the kernel's choice. */
  readonly disk: string;
  /** A second disk with the same partition names and UUIDs, and a volume group of the same name on its `store`. */
  readonly twin: string;
  readonly provisioning: RunDocument;
}
let found: Facts | undefined;

/** @throws Error before the machine of `node` is prepared */
export function facts(): Facts {
  if (found === undefined) throw new Error("the node is not prepared yet");
  return found;
}

export const node = workbench({
  name: NAME,
  diskInterface: "scsi",
  extraDisks: [{ path: await blankDisk(NAME, "8G"), interface: "scsi" }],
  async prepare(vm) {
    // The root is a mapping; the last of what is below it is the disk.
    const below = await vm.shell.ok("lsblk --inverse --list --noheadings --paths --output NAME $(findmnt --noheadings --output SOURCE /)");
    const disk = below.trim().split("\n").at(-1) ?? "";
    const twin = disk === "/dev/sda" ? "/dev/sdb" : "/dev/sda";
    await vm.shell.ok(makeTwin(disk, twin), { timeout: BOOT_TIMEOUT });
    const steps = [{ name: "first run", args: "--unit volume-mounts" }];
    const last = [...FOLDERS.map((folder) => `echo kept >${folder}/marker`), CLOSE].join("\n");
    const result = (await runSteps(vm, steps, { devices: [twin], first: oldLabel(disk), last })).get("first run");
    if (result?.status !== 0 || result.wroteDevice)
      throw new Error(`the first run failed, or wrote to the other disk: ${JSON.stringify(result)}`);
    found = { disk, twin, provisioning: document(result) };
  },
});

/** Everything but /boot: mounts, swap, volumes, opened devices. */
export const CLOSE = `
  swapoff --all
  umount --quiet /run/guestos-boot/var
  umount --quiet --recursive /var
  udevadm settle
  for mapping in /dev/mapper/store-* /dev/mapper/*crypt; do [[ ! -e $mapping ]] || dmsetup remove --retry "$mapping" >&2; done
  udevadm settle
`;
export const MARKERS = FOLDERS.map((folder) => `echo ${folder} $(<${folder}/marker)`).join("\n");
export const ALL_MARKERS = FOLDERS.map((folder) => `${folder} kept\n`).join("");

/** What an earlier owner of the disk has left at its end, before the place of the backup GPT. */
function oldLabel(disk: string): string {
  const place = `$(($(blockdev --getsize64 ${disk}) / 4096 - 8))`;
  return `printf 'of someone%.0s' {1..300} | dd of=${disk} bs=4096 seek=${place} conv=notrunc,fsync status=none`;
}

function makeTwin(disk: string, twin: string): string {
  const lvm = `--config 'devices/global_filter=["a|.*|"]'`;
  return `
    set -e
    { sfdisk --dump ${disk} | grep -v '^last-lba'; echo 'name=store'; } | sfdisk --quiet --lock=yes ${twin}
    udevadm settle
    vgcreate --quiet --yes ${lvm} store ${twin}10 >&2
    lvcreate --quiet --yes ${lvm} --activate n --zero n --extents 10 --name shared-data store >&2
    udevadm settle
    sync
  `;
}

export function document(result: StepResult | undefined): RunDocument {
  if (result === undefined) throw new Error("there was no such step");
  return result.document;
}

export function unitOf(result: StepResult | undefined, name: string): RunDocument["units"][number] {
  const unit = document(result).units.find((one) => one.name === name);
  if (unit === undefined) throw new Error(`${name} did nothing:\n${JSON.stringify(document(result), undefined, 2)}`);
  return unit;
}

export async function intentsOf(vm: VirtualMachine): Promise<ReadonlyMap<string, Intent>> {
  const text = await vm.shell.ok(
    'cd /boot/config/intents; for file in *.json; do printf \'%s\\x1f%s\\x1e\' "${file%.json}" "$(<$file)"; done',
  );
  const entries = text.split("\x1e").slice(0, -1);
  return new Map(entries.map((entry) => entry.split("\x1f")).map(([name = "", json = ""]) => [name, JSON.parse(json) as Intent]));
}

export function intentIn(intents: ReadonlyMap<string, Intent>, name: string): Intent {
  const intent = intents.get(name);
  if (intent === undefined) throw new Error(`there is no intent ${name}`);
  return intent;
}

/** The identity of everything that is made, as blkid sees it. */
export async function identities(vm: VirtualMachine): Promise<Readonly<Record<string, string>>> {
  const { disk } = facts();
  const store = `/dev/mapper/${disk.slice("/dev/".length)}10-crypt`;
  const devices: Readonly<Record<string, string>> = {
    store: `${disk}10`,
    "var-A": `${disk}6`,
    volumes: store,
    ...Object.fromEntries(guestosLayout.volumes.map(({ name }) => [`filesystem-${name}`, volumeDevice(name)])),
  };
  const list = await vm.shell.ok(
    Object.values(devices)
      .map((device) => `echo "$(blkid --probe --output value --match-tag UUID ${device})"`)
      .join("\n"),
  );
  const uuids = list.split("\n");
  return Object.fromEntries(Object.keys(devices).map((name, index) => [name, uuids[index] ?? ""]));
}

export function uuidsOf(intents: ReadonlyMap<string, Intent>): Readonly<Record<string, string>> {
  return Object.fromEntries([...intents].map(([name, { uuid }]) => [name, uuid]));
}

/** A full run of the disk's units: how it went, what the markers say, and everything closed again. */
export async function fullRun(vm: VirtualMachine): Promise<{ readonly result: StepResult | undefined; readonly markers: string }> {
  const results = await runSteps(vm, [{ name: "run", args: "--unit volume-mounts" }]);
  const markers = await vm.shell.ok(`{ ${MARKERS}\n} 2>/dev/null`);
  return { result: results.get("run"), markers };
}

export async function expectAllKept(vm: VirtualMachine): Promise<void> {
  const { result, markers } = await fullRun(vm);
  await vm.shell.ok(CLOSE);
  expect(result, JSON.stringify(result?.document)).toMatchObject({ status: 0, wroteConfig: false, document: { outcome: "done" } });
  expect(document(result).units.filter(({ outcome }) => outcome !== "unchanged")).toEqual([]);
  expect(markers).toBe(ALL_MARKERS);
}
