import type { Command } from "commander";
import { systemHost } from "../../system/host.ts";
import { recordFiles } from "../../run/boot-record.ts";
import { commandTree } from "../command-tree.ts";
import { type Candidate, completion, type Place } from "../complete.ts";
import type { Setup } from "../../run/setup.ts";
import type { Terminal } from "../../run/terminal.ts";

/**
 * Prints the candidates for the last word, for the shells' completions: one per line, with a tab and a description. The line `:files` or
 * `:folders` alone asks the shell to complete these itself.
 *
 * @param words the line up to the cursor, with the program's name
 */
export async function complete(setup: Setup, program: Command, words: readonly string[], terminal: Terminal): Promise<void> {
  const { place, typed, prefix } = completion(commandTree(program), words);
  if (place.kind === "files" || place.kind === "folders") return terminal.print(`:${place.kind}`);
  const candidates = (await candidatesFor(place, setup)).filter(({ word }) => word.startsWith(typed));
  for (const { word, description } of candidates) terminal.print(`${prefix}${word}\t${description}`);
}

async function candidatesFor(place: Exclude<Place, { readonly kind: "files" | "folders" }>, setup: Setup): Promise<readonly Candidate[]> {
  switch (place.kind) {
    case "candidates":
      return place.candidates;
    case "units": {
      const others = place.monitored ? await setup.maintenance() : [];
      return [...setup.chain, ...others].map(({ name, title }) => ({ word: name, description: title }));
    }
    case "boots":
      return boots(setup);
    case "anything":
      return [];
  }
}

/** Empty where this account may not read the records: a completion must not print errors. */
async function boots({ layout }: Setup): Promise<readonly Candidate[]> {
  const host = systemHost();
  const files = await recordFiles(host, layout).catch(() => []);
  return files.map((file, index) => {
    // The name format of past boots' records (src/system/files/record-file.ts).
    const [, date, hour, minute] = /\/(\d{8})T(\d{2})(\d{2})\d{2}Z-[^/]*$/.exec(file) ?? [];
    const ago = index === 1 ? "the boot before" : `${index} boots ago`;
    const began = date === undefined ? "" : `, ${date.replace(/^(....)(..)(..)$/, "$1-$2-$3")} ${hour}:${minute} UTC`;
    return { word: String(index), description: `${index === 0 ? "this boot" : ago}${began}` };
  });
}
