import { type Conflict, conflict, provision } from "../../boot/unit.ts";
import { readIntent } from "../../config/state/intent.ts";
import { findPartition, mappings, rootDisk } from "../../system/disks/block-devices.ts";
import { ProblemError } from "../../base/problem.ts";
import { INSPECTED_BYTES } from "../../system/disks/signature.ts";
import { planEncrypted } from "./encrypted-device.ts";
import { makeStoreKey, storeKeyKind } from "./key-ring.ts";
import { type Machine, unit } from "../machine.ts";
import { mountBoot } from "./mount-boot.ts";
import { clearEnds, makeStorePartition, storePartitionName } from "./store-partition.ts";
import { besideNode, vmType } from "../injection/vm-type.ts";

/**
 * Afterwards the store key and the store partition exist; the partition is a LUKS2 device of that key, and is open.
 *
 * It requires mount-boot alone, because the key and the intent that guards the partition are on the config partition. A conflict means that
 * key, intent and partition do not belong together. The key is gone although something was encrypted with it, the header is gone from a
 * complete store, or there is foreign data. None of it is touched.
 */
export const storeKey = unit({
  name: "store-key",
  title: "Set up the key and the encrypted store partition",
  absent: besideNode,
  shapesDisks: true,
  requires: [mountBoot, vmType],
  owns: ["/boot/config/store.keyfile", "partition:store"],
  timeout: 180_000,
  retryFor: 10_000,
  async plan(machine) {
    const { host, layout } = machine;
    const label = layout.partitions.store;
    const disk = await rootDisk(host);
    const partition = await findPartition(host, label);
    const intent = await readIntent(host, layout.config.intents, INTENT);
    const name = partition?.name ?? storePartitionName(disk);
    const place = `/dev/${name} (${label})`;

    const key = await storeKeyKind(host, layout);
    const made = await intentsOf(machine);
    const encrypted = key === undefined ? made : [];
    if (encrypted.length > 0) return keyGone(layout.config.storeKey, encrypted, `/dev/${name}`);
    if (partition === undefined && intent?.phase === "complete") return partitionGone(disk, label, intent.uuid);

    const mapping = layout.mappings.store(name);
    const store = await planEncrypted(machine, {
      name: INTENT,
      role: "store",
      place,
      device: `/dev/${name}`,
      missing: partition === undefined,
      mapping,
      withInner: false,
    });
    if ("conflict" in store) return store;
    // A unit that writes to the store writes an intent first. If there is none, and this one is not complete, the store is empty.
    const isEmpty = store.kind === "make" && (store.format.length > 0 || !made.some(isInside));
    return [
      ...(key === undefined ? [provision("make the store key", () => makeStoreKey(host, layout))] : []),
      ...store.announce,
      ...(partition === undefined
        ? [provision(`add the partition ${place} on the rest of the disk`, () => makeStorePartition(host, disk, label))]
        : []),
      ...store.format,
      ...store.open,
      ...(isEmpty ? [provision(`zero both ends of ${mapping}, where it is inspected`, () => clearInside(machine, mapping))] : []),
      ...store.complete,
    ];
  },
});

const INTENT = "store";

/** Whether an intent, by its name, guards something inside the store. */
function isInside(name: string): boolean {
  return name !== INTENT && !name.startsWith("var-");
}

/**
 * A new store reads as noise, and noise can look like any file system: some probes recognise ext4 by two bytes. So the ranges that will be
 * inspected are zeroed first, while it is certain that the store is empty.
 */
async function clearInside({ host }: Machine, mapping: string): Promise<void> {
  const opened = (await mappings(host)).get(mapping);
  if (opened === undefined)
    throw new ProblemError({ code: "mapping-closed", what: `/dev/mapper/${mapping} is not open any more`, todo: "run guestos-boot again" });
  await clearEnds(host, opened.device, { start: 0, end: opened.bytes }, INSPECTED_BYTES);
}

/** Names of all intents: of everything that was made, or begun, with a key. */
async function intentsOf({ host, layout }: Machine): Promise<readonly string[]> {
  const names = (await host.list(layout.config.intents)) ?? [];
  return names.filter((name) => /^[^.].*\.json$/.test(name)).map((name) => name.slice(0, -".json".length));
}

function keyGone(file: string, encrypted: readonly string[], device: string): Conflict {
  return conflict({
    code: "store-key-gone",
    what: `the store key ${file} is missing, and a new one could not open what was encrypted with it`,
    found: `intents of ${encrypted.join(", ")}, and no key`,
    expected: "the key that they were made with",
    todo: `restore the key file from a backup of the config partition; nothing was changed. Without one, a recovery passphrase opens the store: cryptsetup open --readonly ${device} rescue-crypt; how a key is made again with it: docs/operator.md, "The key file is lost"`,
  });
}

function partitionGone(disk: string, label: string, uuid: string): Conflict {
  return conflict({
    code: "partition-gone",
    what: `the partition ${label} is missing from /dev/${disk}`,
    found: "no partition of that name",
    expected: `the partition that holds the LUKS device ${uuid}, made and completed before`,
    todo: `was the partition table restored from an image? its data is still on the disk: recreate the entry alone (sfdisk --dump of a node of the same kind shows where)`,
  });
}
