import { join } from "node:path";
import { partitionsOf } from "../../image/layout.ts";
import { stateFolder } from "../../image/paths.ts";
import { type ConfigAtCut, configAtCut, configPlace } from "./config-at-cut.ts";
import type { Inspection } from "./inspect.ts";
import type { WriteLog } from "./log-writes.ts";
import type { RawDisk } from "./raw-disk.ts";
import type { Recording } from "./recording.ts";
import { remembered } from "./remembered.ts";
import { Replay } from "./replay.ts";

/** The LUKS2 UUIDs that are on the disk, by the name of their intent. */
export type Headers = ReadonlyMap<string, string>;

/** What a first boot may not leave. @param name of the folder in which it works */
export async function firstBootInspection(name: string, recording: Recording, log: WriteLog): Promise<Inspection> {
  const { end } = await configBeforeAndAfter(name, recording, log);
  const config = remembered(configPlace, configAtCut);
  return async (disk, { changed }, scratch) => inspectionFaults(await config(disk, changed, scratch), headersOn(disk), end);
}

/** What a boot of a node that has everything may not leave: the same, and nothing of it may be gone. */
export async function laterBootInspection(name: string, recording: Recording, log: WriteLog): Promise<Inspection> {
  const { begin, end } = await configBeforeAndAfter(name, recording, log);
  const config = remembered(configPlace, configAtCut);
  return async (disk, { changed }, scratch) => {
    const cut = await config(disk, changed, scratch);
    return [...inspectionFaults(cut, headersOn(disk), end), ...goneFaults(cut, begin)];
  };
}

/** Files that were there at the beginning of a recording must be there at each cut of it. */
export function goneFaults(cut: ConfigAtCut, begin: ConfigAtCut, rewritten = REWRITTEN): readonly string[] {
  return [...begin.files.keys()].filter((file) => !rewritten.test(file) && !cut.files.has(file)).map((file) => `${file} is gone`);
}

/** The config partition at the first and at the last point of a recording. */
export async function configBeforeAndAfter(
  name: string,
  recording: Recording,
  log: WriteLog,
): Promise<{ readonly begin: ConfigAtCut; readonly end: ConfigAtCut }> {
  const scratch = join(stateFolder(name), "config.img");
  await using replay = new Replay(join(stateFolder(name), "ends.img"), recording, log, 0);
  const inspect = async (disk: RawDisk): Promise<ConfigAtCut> => configAtCut(disk, scratch);
  const begin = await replay.at({ window: 0, variant: 0 }, inspect);
  return { begin, end: await replay.at({ window: replay.windows.length - 1, variant: 1 }, inspect) };
}

/** Intents, the notes about the medium and the mark of the run are written more than once. */
const REWRITTEN = /^intents\/|^injection\.json$|^unfinished-run\.json$/;

/**
 * What may not be, whenever the power is cut:
 *
 * - a file that is not whole, or not the one that the node ends with (an intent may still be begun);
 * - an encrypted device without its intent, or before the key that opens it is durable;
 * - an intent that calls complete what is not there;
 * - a node that calls itself configured, with a part of its configuration missing.
 *
 * @param end the same partition when all had ended
 * @param rewritten files that are written more than once
 */
export function inspectionFaults(cut: ConfigAtCut, headers: Headers, end: ConfigAtCut, rewritten = REWRITTEN): readonly string[] {
  // What is being written has another name until it is whole.
  const names = [...cut.files.keys()].filter((file) => !/(^|\/)\./.test(file));
  const changed = names.filter((file) => !rewritten.test(file) && cut.files.get(file) !== end.files.get(file));
  const halves = [...cut.documents].filter(([, text]) => parsed(text) === undefined);
  const phases = new Map([...cut.intents].filter(([name]) => !name.startsWith(".")).map(([name, text]) => [name, intentOf(text)]));
  const missing = cut.files.has("CONFIGURED")
    ? [...end.files.keys()].filter((file) => /\.conf$|^accounts_/.test(file) && !cut.files.has(file))
    : [];
  return [
    ...changed.map((file) => `${file} is not whole`),
    ...halves.map(([file]) => `${file} is no JSON`),
    ...missing.map((file) => `configured, and ${file} is missing`),
    ...[...phases].flatMap(([name, intent]) => {
      if (intent === undefined) return [`the intent ${name} is not whole`];
      if (intent.uuid !== intentOf(end.intents.get(name) ?? "")?.uuid) return [`the intent ${name} has a UUID of its own`];
      if (intent.phase !== "complete" || !ENCRYPTED.has(name)) return [];
      return headers.get(name) === intent.uuid ? [] : [`${name} is called complete, and is not there`];
    }),
    ...[...headers.keys()].flatMap((name) => [
      ...(phases.has(name) ? [] : [`${name} is encrypted, and has no intent`]),
      ...(cut.files.has("store.keyfile") ? [] : [`${name} is encrypted, and its key has not lasted`]),
    ]),
  ];
}

function intentOf(text: string): { readonly phase: string; readonly uuid: string } | undefined {
  return parsed(text) as { readonly phase: string; readonly uuid: string } | undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const MIB = 1024 * 1024;
const partitions = partitionsOf("lab");
/** Where each encrypted device begins, in bytes. The store is behind the last partition of the image. */
const ENCRYPTED: ReadonlyMap<string, number> = new Map(
  partitions.flatMap(({ name, startMiB, sizeMiB }): readonly [string, number][] => [
    ...(/^[AB]_var$/.test(name) ? [[`var-${name.slice(0, 1)}`, startMiB * MIB] as [string, number]] : []),
    ...(name === partitions.at(-1)?.name ? [["store", (startMiB + sizeMiB) * MIB] as [string, number]] : []),
  ]),
);

/** LUKS2 On-Disk Format Specification 1.1.2, section 2.1: the magic at 0, the UUID at 168, 40 bytes. */
export function headersOn(disk: RawDisk): Headers {
  const found = [...ENCRYPTED].map(([name, at]): [string, string] | undefined => {
    const bytes = Buffer.from(disk.read(at, 512));
    if (bytes.toString("latin1", 0, 6) !== "LUKS\xba\xbe") return undefined;
    return [name, bytes.toString("latin1", 168, 208).split("\0", 1)[0] ?? ""];
  });
  return new Map(found.filter((header) => header !== undefined));
}
