import type { Layout } from "../../config/layout/layout.ts";
import { Notifier } from "../../base/notifier.ts";
import { followTool } from "../../system/processes/follow-tool.ts";
import type { Ruleset } from "../../system/network/nft-errors.ts";
import { type Includes, readIncludes } from "../../system/network/nft-includes.ts";
import { watchFiles } from "../../system/files/watch-files.ts";
import type { WatchedMachine } from "../machine.ts";

/** The ruleset to be loaded: the first of the layout's files that exists. */
export async function rulesetIn({ host, layout }: WatchedMachine): Promise<Ruleset | undefined> {
  for (const file of layout.rulesets) {
    const content = await host.readText(file);
    if (content !== undefined) return { file, content, foreign: isForeign(file, layout) };
  }
  return undefined;
}

/** A file on the config partition came from outside, with the injected configuration. */
export function isForeign(file: string, { mountPoints }: Pick<Layout, "mountPoints">): boolean {
  return file.startsWith(`${mountPoints.config}/`);
}

/** The files that the ruleset includes. A foreign ruleset can include nothing, and the files that it names are not read. */
export async function includesOf({ host }: Pick<WatchedMachine, "host">, ruleset: Ruleset | undefined): Promise<Includes> {
  return ruleset === undefined || ruleset.foreign ? { files: [], watch: [] } : readIncludes(host, ruleset.content);
}

/** Yields when a ruleset file, or a file that it includes, may have changed, and when the rules in force have changed. */
export async function* watchRuleset(machine: WatchedMachine, signal: AbortSignal): AsyncIterable<void> {
  const { layout } = machine;
  const notifier = new Notifier();
  const files = watchFiles(signal, notifier.notify);
  void followTool("nft", ["monitor"], signal, notifier.notify);
  // The watch starts before the file is read, so that no change in between is missed.
  files.set(layout.rulesets);
  do {
    const { watch } = await includesOf(machine, await rulesetIn(machine));
    if (files.set([...layout.rulesets, ...watch])) notifier.notify();
    yield;
  } while (await notifier.notified(signal));
}
