import type { Slot } from "../../src/config/layout/layout.ts";
import { grubBoot, readBootState } from "../../src/upgrade/boot-state.ts";
import { shippedExtent } from "../../image/update/update-content.ts";
import { type ConfigAtCut, configAtCut, configPlace } from "./config-at-cut.ts";
import { configBeforeAndAfter, goneFaults, headersOn, inspectionFaults, type Headers } from "./inspect-config.ts";
import type { Inspection } from "./inspect.ts";
import type { WriteLog } from "./log-writes.ts";
import { readAsGrub } from "./read-as-grub.ts";
import type { RecordedUpgrade, System } from "./record-upgrade.ts";
import type { Recording } from "./recording.ts";
import { PartitionContent } from "./partition-content.ts";
import { remembered } from "./remembered.ts";

/** What a cut left of an upgrade from A to B. */
export interface UpgradeAtCut {
  readonly config: ConfigAtCut;
  readonly headers: Headers;
  /** grubenv as GRUB's own FAT driver reads it. */
  readonly block: Uint8Array | undefined;
  /** Whether boot and root partition are byte for byte a whole system: the shipped one in A, the update in B. */
  readonly whole: Readonly<Record<Slot, boolean>>;
}

/** What holds of all cuts of a recording. */
export interface UpgradeFacts {
  /** The config partition before and after it. */
  readonly begin: ConfigAtCut;
  readonly end: ConfigAtCut;
  /** The update's. */
  readonly sha256: string;
  /** The systems that may not change any more: the one that runs, and the one that is there to go back to. */
  readonly fixed: readonly Slot[];
}

/** GRUB's partition, in its own words: the second one of the image. */
export const GRUB_PARTITION = "gpt2";
/** Besides what a boot writes more than once: what is known of B, which goes from one state to the next, and what B's /var is about. */
const REWRITTEN = /^intents\/|^injection\.json$|^unfinished-run\.json$|^slots\/B\.json$/;

/** What an upgrade may not leave. @param name of the folder in which it works */
export async function upgradeInspection(
  name: string,
  { systems, update }: RecordedUpgrade,
  recording: Recording,
  log: WriteLog,
  fixed: readonly Slot[],
): Promise<Inspection> {
  const facts: UpgradeFacts = { ...(await configBeforeAndAfter(name, recording, log)), sha256: update.sha256, fixed };
  const partitions = { A: partitionsOf("A", systems.old), B: partitionsOf("B", systems.new) };
  const config = remembered(configPlace, configAtCut);
  const grub = shippedExtent("grub");
  const block = remembered({ offset: grub.offset, length: grub.bytes }, ({ path }) => readAsGrub(path, "grubenv", GRUB_PARTITION));
  return async (disk, { changed }, scratch) => {
    // All of them each time: each remembers what it saw.
    const isWhole = (slot: Slot): boolean => partitions[slot].map((partition) => partition.isWhole(disk, changed)).every(Boolean);
    const at: UpgradeAtCut = {
      config: await config(disk, changed, scratch),
      headers: headersOn(disk),
      block: block(disk, changed, scratch),
      whole: { A: isWhole("A"), B: isWhole("B") },
    };
    return upgradeFaults(at, facts);
  };
}

function partitionsOf(slot: Slot, { boot, root }: System): readonly PartitionContent[] {
  return [
    new PartitionContent(shippedExtent(`${slot}_boot`).offset, boot),
    new PartitionContent(shippedExtent(`${slot}_root`).offset, root),
  ];
}

/**
 * What may not be, whenever the power is cut:
 *
 * - a grubenv that GRUB cannot read, or that leads it, at the next boot or at the one after it, to a slot that is not whole;
 * - a slot that is said to hold the update (installed, proven) and does not; a running or proven system of which a byte has changed;
 * - a record of A other than that it is proven; an image that is refused;
 * - a file of the config partition that is gone, not whole, or another; and all that a first boot may not leave there.
 */
export function upgradeFaults(
  { config, headers, block, whole }: UpgradeAtCut,
  { begin, end, sha256, fixed }: UpgradeFacts,
): readonly string[] {
  const next = grubBoot(block);
  const afterwards = grubBoot(next.block);
  const [recordA, recordB] = [recordOf(config, "A"), recordOf(config, "B")];
  const hasUpdate = recordB?.kind === "installed" || recordB?.kind === "proven";
  return [
    ...readBootState(block).faults.map((fault) => `grubenv: ${fault}`),
    ...(whole[next.slot] ? [] : [`GRUB boots ${next.slot}, which is not whole`]),
    ...(whole[afterwards.slot] ? [] : [`GRUB boots ${afterwards.slot} after that, which is not whole`]),
    ...(hasUpdate && !whole.B ? [`B is called ${recordB.kind}, and is not whole`] : []),
    ...(hasUpdate && (recordB.sha256 ?? recordB.image?.sha256) !== sha256 ? [`B is called ${recordB.kind}, with another image`] : []),
    ...(recordB?.kind === "failed" ? ["B is called failed"] : []),
    ...fixed.filter((slot) => !whole[slot]).map((slot) => `${slot} is not what it was`),
    ...(recordA?.kind === "proven" ? [] : [`A is called ${recordA?.kind ?? "nothing"}, not proven`]),
    ...(config.files.has("slots/refused.json") ? ["an image is refused"] : []),
    ...goneFaults(config, begin, REWRITTEN),
    ...inspectionFaults(config, headers, end, REWRITTEN),
  ];
}

/** What a slot's record says, as far as it is asked for here; that it is whole is asked elsewhere. */
interface SlotRecord {
  readonly kind: string;
  readonly sha256?: string;
  readonly image?: { readonly sha256: string };
}

function recordOf({ documents }: ConfigAtCut, slot: Slot): SlotRecord | undefined {
  const text = documents.get(`slots/${slot}.json`);
  try {
    return text === undefined ? undefined : (JSON.parse(text) as SlotRecord);
  } catch {
    return undefined;
  }
}
