import type { Access } from "../boot/races.ts";
import type { Layout } from "../config/layout/layout.ts";
import { type LineSink, lineSink } from "./record-sink.ts";
import type { Terminal } from "./terminal.ts";

/** Lines of a run: each unit has one for each path and kind. */
const MOST = 20_000;

/**
 * Writes down what units read and write, for `guestos-boot verify --record`: paths, and never a content.
 *
 * @returns undefined unless the environment has GUESTOS_OBSERVE=1
 */
export function observation(layout: Layout, terminal: Terminal): LineSink<Access> | undefined {
  if (process.env["GUESTOS_OBSERVE"] !== "1") return undefined;
  const { sink, close } = lineSink<Access>(layout.runFiles.observed, "what was observed of this run", terminal);
  let lines = 0;
  return {
    close,
    sink: (access) => {
      lines += 1;
      if (lines <= MOST) sink(access);
      if (lines === MOST) terminal.complain(`what was observed of this run is incomplete: it has ${MOST} lines`);
    },
  };
}
