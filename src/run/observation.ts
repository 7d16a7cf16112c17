import type { Access } from "../boot/races.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { Recorder, Told } from "./recorder.ts";
import { lineSink } from "./record-sink.ts";
import type { Setup } from "./setup.ts";
import type { Terminal } from "./terminal.ts";

/** Lines of what units read and write: each unit has one for each path and kind. */
const MOST_ACCESSES = 20_000;
/** Characters of what plans were answered. */
const MOST_ANSWERED = 8 * 1024 * 1024;

/** Which run a record is of: its first line. */
export interface ObservedRun {
  /** Of the image. */
  readonly version: string;
  readonly profile: string;
  /** Files of /etc/guestos-boot that changed the chain or the layout. */
  readonly configuration: readonly string[];
}

export interface Observation {
  readonly access: (access: Access) => void;
  readonly recorder: Recorder;
  readonly close: () => void;
}

/**
 * Writes down what units read and write, for `guestos-boot verify --record`, and what their plans were answered and decided, for
 * `guestos-boot replay`. Contents that not everyone may read are secrets, and are not in it.
 *
 * @returns undefined unless the environment has GUESTOS_OBSERVE=1
 */
export async function observation(
  layout: Layout,
  { profile, configuration: { files } }: Pick<Setup, "profile" | "configuration">,
  version: string,
  terminal: Terminal,
): Promise<Observation | undefined> {
  if (process.env["GUESTOS_OBSERVE"] !== "1") return undefined;
  // A usual boot does not load it.
  const { Recorder: Recording } = await import("./recorder.ts");
  const { sink, close } = lineSink<Access | Told | { readonly run: ObservedRun }>(
    layout.runFiles.observed,
    "what was observed of this run",
    terminal,
  );
  sink({ run: { version, profile: profile ?? "unknown", configuration: files } });
  const accesses = bounded(
    sink,
    () => 1,
    MOST_ACCESSES,
    () => terminal.complain(`what was observed of this run is incomplete: units read and wrote ${MOST_ACCESSES} paths`),
  );
  const told = bounded(
    sink,
    (one) => JSON.stringify(one).length,
    MOST_ANSWERED,
    () => terminal.complain(`what was observed of this run is incomplete: plans were answered ${MOST_ANSWERED} characters`),
  );
  return { access: accesses, recorder: new Recording(told, layout), close };
}

/** Passes on until the sum of the sizes is reached. Then it tells so, once. */
function bounded<T>(sink: (value: T) => void, sizeOf: (value: T) => number, most: number, isFull: () => void): (value: T) => void {
  let size = 0;
  return (value) => {
    if (size > most) return;
    size += sizeOf(value);
    if (size > most) isFull();
    else sink(value);
  };
}
