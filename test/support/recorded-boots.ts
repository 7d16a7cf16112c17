import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Boot, bootOf } from "../../src/analyze/boot.ts";
import { parseRecord, type ReadRecord } from "../../src/boot/record/read-record.ts";
import type { RecordEvent } from "../../src/boot/record/record.ts";
import type { BootClocks } from "../../src/system/systemd/boot-clocks.ts";

const folder = join(import.meta.dirname, "../fixtures/boots");

/** A boot that a virtual machine went through, with what systemd said of it then (`systemctl show`, `systemd-analyze time`). */
export interface RecordedBoot {
  readonly file: string;
  readonly clocks: BootClocks;
  /** What `systemd-analyze time` gave as the whole, in seconds. */
  readonly wallTime: number;
}

/** On a new disk. */
export const firstBoot: RecordedBoot = {
  file: join(folder, "first-boot.jsonl"),
  clocks: {
    userspace: 21.319101,
    finished: 216.271468,
    services: {
      "guestos-boot.service": { started: 44.357476, ended: 186.375292 },
      "guestos-boot-late.service": { started: 198.693939, ended: 216.150249 },
    },
  },
  wallTime: 216.271,
};

/** On a new disk, on a machine with nothing else to do. The boot is one process; that of the others was two. */
export const quietBoot: RecordedBoot = {
  file: join(folder, "first-boot-in-one-process.jsonl"),
  clocks: {
    userspace: 5.031875,
    finished: 32.191317,
    services: {
      "guestos-boot.service": { started: 10.485942, ended: 31.794635 },
      "guestos-boot-late.service": { started: 29.707352, ended: 31.685204 },
    },
  },
  wallTime: 32.191,
};

/** The same disk once more: nothing had to be provisioned. */
export const noOpBoot: RecordedBoot = {
  file: join(folder, "no-op-boot.jsonl"),
  clocks: {
    userspace: 36.275988,
    finished: 285.938336,
    services: {
      "guestos-boot.service": { started: 65.119316, ended: 213.766903 },
      "guestos-boot-late.service": { started: 227.625262, ended: 285.840995 },
    },
  },
  wallTime: 285.938,
};

export function recordOf({ file }: RecordedBoot): ReadRecord {
  return parseRecord(readFileSync(file, "utf8"), file);
}

export function bootFrom(recorded: RecordedBoot): Boot {
  return bootOfEvents(recordOf(recorded).events, recorded.clocks);
}

export function bootOfEvents(events: readonly RecordEvent[], clocks?: BootClocks): Boot {
  return bootOf(events, clocks);
}
