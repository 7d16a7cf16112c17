import * as z from "../../base/schema.ts";
import type { Host } from "../../system/host.ts";
import { readStateStrictly, writeState } from "./state-file.ts";

const UnfinishedStep = z.object({
  unit: z.string(),
  /** The description of the action. */
  action: z.string(),
});
export type UnfinishedStep = z.infer<typeof UnfinishedStep>;

/** A run that was cut off. */
export const UnfinishedRun = z.object({
  bootId: z.string(),
  /** `boot`, or a half of it, or `run` for any other that an operator or the monitor started. */
  run: z.enum(["boot", "early", "late", "run"]),
  /** When it began: wall-clock time, ISO 8601. */
  time: z.string(),
  /** The last lasting change that each running unit had begun. Empty: the run was between two of them. */
  at: z.array(UnfinishedStep),
});
export type UnfinishedRun = z.infer<typeof UnfinishedRun>;

/**
 * unfinished-run.json, on the config partition: it exists from the first lasting change of a run until that run ends. A run that finds one
 * when it starts knows that a power cut or a kill ended the run before it, and where. No decision depends on it: the units themselves find
 * what is missing.
 */
const UnfinishedRunFile = z.strictObject({
  version: z.literal(1),
  ...UnfinishedRun.shape,
  at: z.array(z.strictObject(UnfinishedStep.shape)),
});

/** @returns `undefined` when there is none. @throws ProblemError when one exists that cannot be read */
export async function readUnfinishedRun(host: Host, file: string): Promise<UnfinishedRun | undefined> {
  return readStateStrictly(host, file, UnfinishedRunFile, {
    code: "run-note-unreadable",
    what: "a run before this one was cut off, and the note of it cannot be read",
    todo: "nothing: it is removed when this run ends",
  });
}

/** Durable when it returns. */
export async function writeUnfinishedRun(host: Host, file: string, run: UnfinishedRun): Promise<void> {
  const { bootId, time, at } = run;
  await writeState(host, file, { version: 1, bootId, run: run.run, time, at });
}
