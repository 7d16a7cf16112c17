import type { Intent } from "../../../src/config/state/intent.ts";
import type { Step } from "./workbench.ts";

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

export interface GuardedPlace {
  readonly place: Place;
  readonly intent: Intent;
}

/**
 * The steps of all cells, in their order: what a device holds is changed as seldom as possible. Places that do not depend
 * on each other are inspected by the same runs; the one with fewer cells stays in its last one.
 */
export function cellSteps(guarded: readonly GuardedPlace[]): readonly Step[] {
  const length = Math.max(...guarded.map(({ place }) => conflictCells(place).length));
  const args = guarded.map(({ place }) => `--unit ${place.unit}`).join(" ");
  return Array.from({ length }, (_, index) => {
    const before = guarded.flatMap(({ place, intent }) => {
      const cells = conflictCells(place);
      const cell = cells[index];
      if (cell === undefined) return [];
      const change = cell.content === (cells[index - 1]?.content ?? "ours") ? [] : [turnInto(cell.content, place)];
      return [...change, putIntent(place.intent, intent, cell.phase)];
    });
    return { name: `cell ${index}`, before: before.join("\n"), args };
  });
}

/** The area that is saved, and put back. */
const SAVED_MIB = 17;

export function save({ device, intent }: Place): string {
  return `dd if=${device} of=/dev/shm/${intent} bs=1M count=${SAVED_MIB} status=none`;
}

export function restore({ device, intent }: Place, wanted: Intent): string {
  return [
    `dd if=/dev/shm/${intent} of=${device} bs=1M conv=notrunc,fsync status=none`,
    `rm /dev/shm/${intent}`,
    putIntent(intent, wanted, "complete"),
    "udevadm settle",
  ].join("\n");
}

export function putIntent(name: string, intent: Intent, phase: Phase): string {
  const file = `/boot/config/intents/${name}.json`;
  return phase === "none" ? `rm -f ${file}` : `printf '%s' '${JSON.stringify({ ...intent, phase })}' >${file}`;
}

/** Each from the content before it, in the order of the cells. */
function turnInto(content: Content, { device, uuid, foreign }: Place): string {
  const blank = `dd if=/dev/zero of=${device} bs=1M count=${SAVED_MIB} conv=notrunc,fsync status=none`;
  switch (content) {
    case "ours":
      return "";
    case "other-uuid": {
      const bytes = uuid.as === "text" ? "0f0f0f0f" : String.raw`\x0f\x0f\x0f\x0f`;
      return `printf '${bytes}' | dd of=${device} bs=1 seek=${uuid.offset} conv=notrunc,fsync status=none`;
    }
    case "blank":
      return blank;
    case "foreign":
      return foreign.script;
    case "unknown":
      // Not noise: that is what an encryption that was cut off leaves.
      return `${blank}\nprintf 'of someone%.0s' {1..300} | dd of=${device} bs=4k seek=300 conv=notrunc,fsync status=none`;
  }
}
