import { parseRecord, type ReadRecord } from "../boot/record/read-record.ts";
import type { RunView } from "../boot/record/run-view.ts";
import type { Layout } from "../config/layout/layout.ts";
import { bootId } from "../system/boot-id.ts";
import type { Host } from "../system/host.ts";
import { processStart } from "../system/processes/process-age.ts";
import { ProblemError } from "../base/problem.ts";
import { keptRecords } from "../system/files/record-file.ts";
import { ExitError } from "./exit-error.ts";
import { asReader } from "./guards.ts";

/** Which record: that of an earlier boot, by how many boots ago it was, or a file from another machine. */
export type WhichRecord = { readonly boot: number } | { readonly file: string };

/**
 * Reads the record of a boot: 0 is this one (or the last one that left a record), 1 the one before it, and so on.
 *
 * @throws ExitError when there is no such record, when it is damaged, or when this account may not read it
 */
export async function readBoot(host: Host, layout: Layout, which: WhichRecord): Promise<ReadRecord> {
  if ("file" in which) return read(host, which.file, which);
  return asReader(async () => read(host, await fileOfBoot(host, layout, which.boot), which));
}

async function read(host: Host, file: string, which: WhichRecord): Promise<ReadRecord> {
  try {
    const text = await host.readText(file);
    if (text === undefined && "file" in which)
      throw new ExitError("noRecord", { code: "record-file-missing", what: "there is no such file", where: { file } });
    const record = parseRecord(text ?? "", file);
    if (record.runs.length > 0) return record;
  } catch (error) {
    if (error instanceof ProblemError) throw new ExitError("recordDamaged", error.problem);
    throw error;
  }
  throw new ExitError("noRecord", { code: "nothing-recorded-yet", what: "this boot has not recorded anything yet", where: { file } });
}

async function fileOfBoot(host: Host, layout: Layout, boot: number): Promise<string> {
  const files = await recordFiles(host, layout);
  const file = files[boot];
  if (file !== undefined) return file;
  throw new ExitError("noRecord", {
    code: "no-such-record",
    what: boot === 0 ? "there is no record of a boot" : `there is no record of a boot ${boot} before this one`,
    found: files.length === 1 ? "1 record" : `${files.length} records`,
    todo:
      files.length === 0
        ? "guestos-boot has not run in this boot, and past boots left nothing on /var"
        : `--boot 0 to --boot ${files.length - 1} are there`,
  });
}

/** The existing records, the newest first: that of boot 0, of boot 1, and so on. */
export async function recordFiles(host: Host, layout: Layout): Promise<readonly string[]> {
  const here = await bootId(host);
  const current = (await host.stat(layout.runFiles.record)) === undefined ? [] : [layout.runFiles.record];
  const kept = (await keptRecords(host, layout.records)).filter(({ bootId: id }) => current.length === 0 || id !== here);
  return [...current, ...kept.map(({ path }) => path)];
}

/** Whether that run is in progress: its process is alive, and older than the run. */
export async function isRunning(host: Host, run: RunView | undefined): Promise<boolean> {
  if (run === undefined || run.facts.bootId !== (await bootId(host))) return false;
  const started = await processStart(host, run.facts.pid);
  return started !== undefined && started <= run.startedAt;
}
