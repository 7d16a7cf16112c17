import { expect } from "vitest";

/** Something that is made once, and guarded by an intent. */
export interface Place {
  readonly intent: string;
  readonly unit: string;
  /** Shell words for the device; may use variables of the script. */
  readonly device: string;
  /** Where its UUID is, in bytes, and how it is written there. */
  readonly uuid: { readonly offset: number; readonly as: "text" | "binary" };
  /** A partition counts as blank only when all of its first 16 MiB is zero; what is in an opened device is noise at first. */
  readonly raw: boolean;
  /** Meet each kind of foreign content in each phase. */
  readonly everyKind?: boolean;
  /** Makes something else of a blank device. */
  readonly foreign: { readonly script: string; readonly type: string };
}

export type Content = "ours" | "other-uuid" | "blank" | "foreign" | "unknown";
export type Phase = "none" | "begun" | "complete";

export interface Cell {
  readonly phase: Phase;
  readonly content: Content;
}

/**
 * The cells of the table in which nothing may be done; the other ones need a whole run each.
 *
 * One place meets every kind of content in every phase, and what is seen of it there is not seen again: the others share its code,
 * and meet each kind once.
 */
export function conflictCells({ raw, everyKind = false }: Place): readonly Cell[] {
  const cells = (content: Content, ...phases: readonly Phase[]): readonly Cell[] => phases.map((phase) => ({ phase, content }));
  if (!everyKind) return [...cells("other-uuid", "complete"), ...cells("blank", "complete"), ...cells("foreign", raw ? "none" : "begun")];
  const every: readonly Phase[] = ["none", "begun", "complete"];
  return [
    ...cells("ours", "none"),
    ...cells("other-uuid", ...every),
    ...cells("blank", "complete"),
    ...cells("foreign", ...every),
    ...(raw ? cells("unknown", ...every) : []),
  ];
}

export function cellName({ phase, content }: Cell): string {
  return `${phase} × ${content}`;
}

/** What the unit says of a cell, in which it changes nothing. @param uuid that was made there */
export function conflictOf({ device, unit, foreign }: Place, { phase, content }: Cell, uuid: string): object {
  const found = {
    ours: uuid,
    // LVM writes its identifiers in groups.
    "other-uuid": unit === "volumes" ? "0f0f0f-0f" : "0f0f0f0f",
    blank: "nothing",
    foreign: foreign.type,
    unknown: "data without a signature that is known",
  };
  const made = `${uuid}, ${phase === "begun" ? "begun before" : "made and completed before"}`;
  return {
    code: "content-differs",
    what: expect.stringMatching(new RegExp(`^.*${device}.* does not hold what it should; it was not changed$`)),
    found: expect.stringContaining(found[content]),
    expected: phase === "none" ? "nothing, as on a node that was never provisioned" : expect.stringMatching(new RegExp(`${made}$`)),
    todo: expect.stringMatching(/docs\/operator\.md, 'Conflicts'/),
  };
}

/** A place, once it is known which disk is the node's; and what must be open before it can be inspected. */
type PlaceOf = (disk: string) => Place & { readonly open: string };

const OPEN_STORE = "guestos-boot --unit store-key >&2";
const OPEN_VOLUMES = "guestos-boot --unit volumes >&2";

export const places: Readonly<Record<string, PlaceOf>> = {
  "the store partition": (disk) => ({
    ...{ intent: "store", unit: "store-key", device: `${disk}10`, uuid: { offset: 168, as: "text" }, raw: true, everyKind: true, open: "" },
    foreign: { script: `mkswap --quiet ${disk}10`, type: "swap" },
  }),
  "the var partition": (disk) => ({
    ...{ intent: "var-A", unit: "var", device: `${disk}6`, uuid: { offset: 168, as: "text" }, raw: true, open: OPEN_STORE },
    foreign: { script: `mkfs.vfat -F 32 ${disk}6 >/dev/null`, type: "vfat" },
  }),
  "the volume group": (disk) => {
    const device = `/dev/mapper/${disk.slice("/dev/".length)}10-crypt`;
    // LVM's label is in the second sector.
    return {
      ...{ intent: "volumes", unit: "volumes", device, uuid: { offset: 512 + 32, as: "text" }, raw: false, open: OPEN_STORE },
      foreign: { script: `mkswap --quiet ${device}`, type: "swap" },
    };
  },
  "an ext4 volume": () => volumePlace("shared-crypto", 1024 + 0x68, "swap"),
  "the xfs volume": () => volumePlace("shared-data", 32, "swap"),
  "the swap volume": () => volumePlace("shared-swap", 1024 + 12, "vfat"),
};

function volumePlace(name: string, offset: number, type: "swap" | "vfat"): ReturnType<PlaceOf> {
  const device = volumeDevice(name);
  const script = type === "swap" ? `mkswap --quiet ${device}` : `mkfs.vfat -F 32 ${device} >/dev/null`;
  const unit = "volume-filesystems";
  return {
    intent: `filesystem-${name}`,
    unit,
    device,
    uuid: { offset, as: "binary" },
    raw: false,
    open: OPEN_VOLUMES,
    foreign: { script, type },
  };
}

/** "/dev/mapper/store-shared--data" */
export function volumeDevice(name: string): string {
  return `/dev/mapper/store-${name.replaceAll("-", "--")}`;
}
