import { copyFile } from "node:fs/promises";
import { grubBoot, readBootState } from "../../src/upgrade/boot-state.ts";
import { type Case, MARK_AT } from "./grubenv-cases.ts";
import { piecesOf, seededRandom, subsetsOf, type Window, windowsOf, writesAfterCut, writesOf } from "./crash-states.ts";
import { type LogEntry, openWriteLog, type WriteLog } from "./log-writes.ts";
import { RawDisk } from "./raw-disk.ts";
import { readAsGrub } from "./read-as-grub.ts";
import { markName, type Recorded } from "./record-grubenv.ts";

export interface Judged {
  /** Distinct disks, while it was being written and after that. */
  readonly states: { readonly during: number; readonly afterwards: number };
  /** Where GRUB would find something that is neither the old nor the new. */
  readonly bad: readonly string[];
  /** Where GRUB would not find the new although the write had returned. */
  readonly notDurable: readonly string[];
}

/** Sectors are written whole or not at all. Bytes. */
const SECTOR = 512;
/** States of one window. Where it has more, they are chosen (see `subsetsOf`). */
const LIMIT = 2048;

/** Rebuilds the disk at every flush and with every subset of the sectors since, and inspects each as GRUB does. */
export async function judgeGrubenv(one: Case, recorded: Recorded): Promise<Judged> {
  using log = withMarks(openWriteLog(recorded.log));
  const path = `${recorded.disk}.replayed`;
  await copyFile(recorded.disk, path);
  using disk = new RawDisk(path);
  const wanted = { old: outcome(one.old), new: outcome(one.block) };
  const seen = { during: new Map<string, string>(), afterwards: new Map<string, string>() };
  const [begin, returned] = ["begin", "returned"].map((mark) => log.entries.find((entry) => entry.mark === mark)?.index);
  if (begin === undefined || returned === undefined) throw new Error(`${recorded.log} has not both marks`);
  let durable = 0;
  for (const window of windowsOf(log.entries)) {
    disk.apply(writesOf(log, durable, window.durable));
    ({ durable } = window);
    if (window.end <= begin) continue;
    const states = window.end <= returned ? seen.during : seen.afterwards;
    for (const kept of subsetsOf(piecesOf(window, SECTOR), LIMIT, seededRandom(window.end))) {
      const writes = writesAfterCut(log, window, kept);
      const key = contentKey(window, writes);
      if (states.has(key)) continue;
      states.set(key, await disk.with(writes, () => outcome(readAsGrub(path, "grubenv"))));
    }
  }
  return {
    states: { during: seen.during.size, afterwards: seen.afterwards.size },
    bad: [...seen.during.values(), ...seen.afterwards.values()].filter((found) => found !== wanted.old && found !== wanted.new),
    notDurable: [...seen.afterwards.values()].filter((found) => found !== wanted.new),
  };
}

/** What GRUB makes of the block at this boot, and of what it leaves at the next one. */
function outcome(block: Uint8Array | undefined): string {
  const first = grubBoot(block);
  const second = grubBoot(first.block);
  const { alternative, cycle, trial } = readBootState(block).state;
  return `${alternative} ${cycle} ${trial ?? "-"}: boots ${first.slot}, then ${second.slot}`;
}

/** The log with what the guest wrote at MARK_AT as marks. */
function withMarks(log: WriteLog): WriteLog {
  const entries = log.entries.map((entry): LogEntry =>
    entry.offset === MARK_AT ? { ...entry, length: 0, mark: markName(log.data(entry)) } : entry,
  );
  return { ...log, entries, [Symbol.dispose]: () => log[Symbol.dispose]() };
}

/** The same for the same disk: for each sector what was written last. */
function contentKey({ durable }: Window, writes: ReturnType<typeof writesAfterCut>): string {
  const last = new Map<number, string>();
  for (const { offset, length, bytes } of writes) {
    for (let at = 0; at < length; at += SECTOR) {
      last.set(offset + at, bytes === undefined ? "" : Buffer.from(bytes.subarray(at, at + SECTOR)).toString("base64"));
    }
  }
  const sectors = [...last].toSorted(([one], [two]) => one - two).map(([at, content]) => `${at}=${content}`);
  return `${durable}:${sectors.join(",")}`;
}
