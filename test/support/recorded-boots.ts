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

/** Seconds on systemd's clock: from when to when a service was started. */
type Started = readonly [from: number, to: number];

/** @param userspace when it began, in seconds, as all here */
function recorded(name: string, userspace: number, finished: number, boot: Started, late: Started, wallTime: number): RecordedBoot {
  const service = ([started, ended]: Started): { readonly started: number; readonly ended: number } => ({ started, ended });
  const services = { "guestos-boot.service": service(boot), "guestos-boot-late.service": service(late) };
  return { file: join(folder, `${name}.jsonl`), clocks: { userspace, finished, services }, wallTime };
}

/** On a new disk. */
export const firstBoot = recorded("first-boot", 21.319101, 216.271468, [44.357476, 186.375292], [198.693939, 216.150249], 216.271);

/** On a new disk, on a machine with nothing else to do. The boot is one process; that of the others was two. */
export const quietBoot = recorded("first-boot-in-one-process", 5.031875, 32.191317, [10.485942, 31.794635], [29.707352, 31.685204], 32.191);

/** The same disk once more: nothing had to be provisioned. */
export const noOpBoot = recorded("no-op-boot", 36.275988, 285.938336, [65.119316, 213.766903], [227.625262, 285.840995], 285.938);

export function recordOf({ file }: RecordedBoot): ReadRecord {
  return parseRecord(readFileSync(file, "utf8"), file);
}

export function bootFrom(boot: RecordedBoot): Boot {
  return bootOfEvents(recordOf(boot).events, boot.clocks);
}

export function bootOfEvents(events: readonly RecordEvent[], clocks?: BootClocks): Boot {
  return bootOf(events, clocks);
}
