import type { Intent } from "../../../src/config/state/intent.ts";
import { type Cell, cellName, conflictCells, type Content, type Phase, type Place } from "../../support/two-keys.ts";
import { isRecorded } from "./keep-replay.ts";
import type { Step } from "./workbench.ts";

export interface GuardedPlace {
  /** "the store partition" */
  readonly title: string;
  readonly place: Place;
  readonly intent: Intent;
}

/** The cells that a machine is brought into: each content once. All of them where they are recorded; each is replayed in its own test. */
export function cellsHere(place: Place): readonly Cell[] {
  const all = conflictCells(place);
  return isRecorded ? all : all.filter(({ content }, index) => all.findIndex((cell) => cell.content === content) === index);
}

/**
 * The steps of these cells, in their order: what a device holds is changed as seldom as possible. Places that do not depend
 * on each other are inspected by the same runs; the one with fewer cells stays in its last one.
 */
export function cellSteps(guarded: readonly GuardedPlace[]): readonly Step[] {
  const length = Math.max(...guarded.map(({ place }) => cellsHere(place).length));
  const args = guarded.map(({ place }) => `--unit ${place.unit}`).join(" ");
  return Array.from({ length }, (_, index) => {
    const before = guarded.flatMap(({ place, intent }) => {
      const cells = cellsHere(place);
      const cell = cells[index];
      if (cell === undefined) return [];
      const change = cell.content === (cells[index - 1]?.content ?? "ours") ? [] : [turnInto(cell.content, place)];
      return [...change, putIntent(place.intent, intent, cell.phase)];
    });
    const fixtures = guarded.flatMap(({ title, place }) => {
      const cell = cellsHere(place)[index];
      return cell === undefined ? [] : [{ name: `${title}, ${cellName(cell)}`, unit: place.unit }];
    });
    return { name: `cell ${index}`, before: before.join("\n"), args, fixtures };
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
