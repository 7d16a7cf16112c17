import { type Conflict, conflict, provision } from "../../boot/unit.ts";
import { readIntent } from "../../config/state/intent.ts";
import { findPartition, rootDisk } from "../../system/disks/block-devices.ts";
import type { Host } from "../../system/host.ts";
import { ProblemError } from "../../base/problem.ts";
import { addPartition, announcePartition, readPartitionTable } from "../../system/disks/sfdisk.ts";
import { contentOf, contentText } from "../../system/disks/signature.ts";
import { planEncrypted } from "./encrypted-device.ts";
import { makeStoreKey, readStoreKey } from "./key-ring.ts";
import { type Machine, unit } from "../machine.ts";
import { mountBoot } from "./mount-boot.ts";

/**
 * Afterwards the store key exists, the store partition exists and is a LUKS2 device of that key, and it is open.
 *
 * Stands right behind mount-boot, because both the key and the intent that guards the partition lie on the config
 * partition. A conflict means that key, intent and partition do not belong together: a key that is gone while something
 * was encrypted with it, a header that is gone from a store that was complete, foreign data. None of it is touched.
 */
export const storeKey = unit({
  name: "store-key",
  title: "Set up the key and the encrypted store partition",
  shapesDisks: true,
  requires: [mountBoot],
  owns: ["/boot/config/store.keyfile", "partition:store"],
  timeout: 180_000,
  retryFor: 10_000,
  async plan(machine) {
    const { host, layout } = machine;
    const label = layout.partitions.store;
    const disk = await rootDisk(host);
    const partition = await findPartition(host, label);
    const intent = await readIntent(host, layout.config.intents, INTENT);
    const name = partition?.name ?? partitionName(disk, STORE_NUMBER);
    const place = `/dev/${name} (${label})`;

    const key = await readStoreKey(host, layout);
    const encrypted = key === undefined ? await intentsOf(machine) : [];
    if (encrypted.length > 0) return keyGone(layout.config.storeKey, encrypted, `/dev/${name}`);
    if (partition === undefined && intent?.phase === "complete") return partitionGone(disk, label, intent.uuid);

    const store = await planEncrypted(machine, {
      name: INTENT,
      role: "store",
      place,
      device: `/dev/${name}`,
      missing: partition === undefined,
      mapping: layout.mappings.store(name),
      withInner: false,
    });
    if ("conflict" in store) return store;
    return [
      ...(key === undefined ? [provision("make the store key", () => makeStoreKey(host, layout))] : []),
      ...store.announce,
      ...(partition === undefined
        ? [provision(`add the partition ${place} on the rest of the disk`, () => makePartition(host, disk, label))]
        : []),
      ...store.format,
      ...store.open,
      ...store.complete,
    ];
  },
});

const INTENT = "store";
/** Its number in the layout; hosts that look from outside know it by that. */
const STORE_NUMBER = 10;
/** The area that must be zero for a raw partition to count as blank; see `contentOf`. */
const CLEARED_BYTES = 16 * 1024 * 1024;

/**
 * Zeroes the place first, while it belongs to no partition, and only then makes the partition: whatever an earlier owner
 * of the disk left there can so never be taken for a store, and a power cut in between only repeats the zeroing. A run
 * that was killed before the kernel was told leaves the partition in the table alone.
 */
async function makePartition(host: Host, disk: string, label: string): Promise<void> {
  const device = `/dev/${disk}`;
  const table = await readPartitionTable(host, device);
  if (table.labels.includes(label)) {
    await announcePartition(host, device, STORE_NUMBER);
    await requireBlank(host, `/dev/${partitionName(disk, STORE_NUMBER)}`, label);
    return;
  }
  await host.writeInPlace(device, new Uint8Array(CLEARED_BYTES), table.end);
  await addPartition(host, device, { number: STORE_NUMBER, label, start: table.end });
  await announcePartition(host, device, STORE_NUMBER);
}

/** A partition that the kernel did not know could not be looked at when it was planned to encrypt it. */
async function requireBlank(host: Host, device: string, label: string): Promise<void> {
  const content = await contentOf(host, device, { mustBeZero: true });
  if (content.kind === "blank") return;
  throw new ProblemError({
    what: `the partition table had ${device} (${label}) already, and it is not empty; it was not touched`,
    found: contentText(content),
    expected: "nothing, as an interrupted run leaves it",
    todo: "run guestos-boot again: the kernel knows the partition now, and what it holds can be judged",
  });
}

/** The kernel puts a "p" between a disk's name that ends in a digit and the number (nvme0n1p10, vda10). */
function partitionName(disk: string, number: number): string {
  return `${disk}${/\d$/.test(disk) ? "p" : ""}${number}`;
}

/** Names of everything that was made, or begun, with a key. */
async function intentsOf({ host, layout }: Machine): Promise<readonly string[]> {
  const names = (await host.list(layout.config.intents)) ?? [];
  return names.filter((name) => /^[^.].*\.json$/.test(name)).map((name) => name.slice(0, -".json".length));
}

function keyGone(file: string, encrypted: readonly string[], device: string): Conflict {
  return conflict({
    what: `the store key ${file} is gone, and a new one would lock out what was made with it`,
    found: `intents of ${encrypted.join(", ")}, and no key`,
    expected: "the key that they were made with",
    todo: `restore the key file from a backup of the config partition; nothing was changed. Without one, a recovery passphrase opens the store: cryptsetup open --readonly ${device} rescue-crypt; how a key is made anew with it: docs/operator.md, "The key file is lost"`,
  });
}

function partitionGone(disk: string, label: string, uuid: string): Conflict {
  return conflict({
    what: `the partition ${label} is gone from /dev/${disk}`,
    found: "no partition of that name",
    expected: `the partition that holds the LUKS device ${uuid}, made and completed before`,
    todo: `was the partition table restored from an image? its data is still on the disk: recreate the entry alone (sfdisk --dump of a node of the same kind shows where)`,
  });
}
