import { Bell } from "../../base/notifier.ts";
import { followTool } from "../../system/processes/follow-tool.ts";
import { type IncludedFile, readIncludes } from "../../system/network/nft-includes.ts";
import { watchFiles } from "../../system/files/watch-files.ts";
import type { WatchedMachine } from "../watched-machine.ts";

/** The ruleset that counts: the first of the layout's files that exists. */
export async function rulesetIn({ host, layout }: WatchedMachine): Promise<IncludedFile | undefined> {
  for (const file of layout.rulesets) {
    const content = await host.readText(file);
    if (content !== undefined) return { file, content };
  }
  return undefined;
}

/** Yields when a ruleset file, or what it includes, may have changed, and when somebody has changed the rules in force. */
export async function* watchRuleset(machine: WatchedMachine, signal: AbortSignal): AsyncIterable<void> {
  const { host, layout } = machine;
  const bell = new Bell();
  const files = watchFiles(signal, bell.ring);
  void followTool("nft", ["monitor"], signal, bell.ring);
  // Watched first and read then, so that nothing happens in between unseen.
  files.set(layout.rulesets);
  do {
    const ruleset = await rulesetIn(machine);
    const included = ruleset === undefined ? [] : (await readIncludes(host, ruleset.content)).watch;
    if (files.set([...layout.rulesets, ...included])) bell.ring();
    yield;
  } while (await bell.heard(signal));
}
