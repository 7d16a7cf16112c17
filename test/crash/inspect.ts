import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { partitionsOf } from "../../vm/image/layout.ts";
import { stateFolder } from "../../vm/paths.ts";
import { tool } from "../../vm/tool.ts";
import { type ConfigAtCut, configAtCut, touchesConfig } from "./config-at-cut.ts";
import { type Window, windowsOf, writesAfterCut, writesOf } from "./crash-states.ts";
import type { WriteLog } from "./log-writes.ts";
import { keptAt, type Point, pointName } from "./points.ts";
import { RawDisk } from "./raw-disk.ts";
import type { Recording } from "./recording.ts";

/** A point at which something stands on the disk that no cut may leave there. */
export interface Inspected {
  readonly point: string;
  readonly faults: readonly string[];
}

const COPY_TIMEOUT = 600_000;

/** The LUKS2 UUIDs that stand on the disk, by the name of their intent. */
type Headers = ReadonlyMap<string, string>;

/**
 * Looks at the disks that cuts leave without booting them: what a boot would have to go by. That costs a hundredth of a boot, and so
 * it is done at many more points.
 *
 * @param name of the folder in which it works
 */
export async function* inspect(
  name: string,
  recording: Recording,
  log: WriteLog,
  points: readonly Point[],
  seed: number,
): AsyncGenerator<Inspected> {
  const windows = windowsOf(log.entries);
  const folder = stateFolder(name);
  await mkdir(folder, { recursive: true });
  const [path, scratch] = [join(folder, "inspected.img"), join(folder, "config-at-cut.img")];
  await tool("cp", ["--sparse=always", recording.base, path], { timeout: COPY_TIMEOUT });
  using disk = new RawDisk(path);
  const end = await disk.with(writesOf(log, 0, log.entries.length).filter(touchesConfig), () => configAtCut(disk, scratch));
  let durable = 0;
  for (const point of points.toSorted((one, two) => one.window - two.window)) {
    const window: Window | undefined = windows[point.window];
    if (window === undefined) throw new Error(`there is no window ${point.window}`);
    disk.apply(writesOf(log, durable, window.durable));
    ({ durable } = window);
    const writes = writesAfterCut(log, window, keptAt(point, window, seed));
    yield { point: pointName(point), faults: await disk.with(writes, () => look(disk, scratch, end)) };
  }
  await rm(path);
}

function look(disk: RawDisk, scratch: string, end: ConfigAtCut): readonly string[] {
  try {
    return inspectionFaults(configAtCut(disk, scratch), headersOn(disk), end);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/**
 * What may not be, whenever the power is cut:
 *
 * - a file that is not whole, or not the one that the node ends with (an intent may still be begun);
 * - an encrypted device without its intent, or before the key that opens it is durable;
 * - an intent that calls complete what is not there;
 * - a node that calls itself configured, with a part of its configuration missing.
 *
 * @param end the same partition when the boot had ended
 */
export function inspectionFaults(cut: ConfigAtCut, headers: Headers, end: ConfigAtCut): readonly string[] {
  // What is being written has another name until it is whole.
  const names = [...cut.files.keys()].filter((file) => !/(^|\/)\./.test(file));
  // Intents, the notes about the medium and the mark of the run are written more than once.
  const changed = names.filter(
    (file) => !/^intents\/|^injection\.json$|^unfinished-run\.json$/.test(file) && cut.files.get(file) !== end.files.get(file),
  );
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
  partitions.flatMap(({ name, startMiB, sizeMiB }): readonly [string, number][] => {
    if (name === "A_var") return [["var-A", startMiB * MIB]];
    return name === partitions.at(-1)?.name ? [["store", (startMiB + sizeMiB) * MIB]] : [];
  }),
);

/** LUKS2 On-Disk Format Specification 1.1.2, section 2.1: the magic at 0, the UUID at 168, 40 bytes. */
function headersOn(disk: RawDisk): Headers {
  const found = [...ENCRYPTED].map(([name, at]): [string, string] | undefined => {
    const bytes = Buffer.from(disk.read(at, 512));
    if (bytes.toString("latin1", 0, 6) !== "LUKS\xba\xbe") return undefined;
    return [name, bytes.toString("latin1", 168, 208).split("\0", 1)[0] ?? ""];
  });
  return new Map(found.filter((header) => header !== undefined));
}
