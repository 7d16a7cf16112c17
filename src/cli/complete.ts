import { type ProfileName, profileNames } from "../profiles/profiles.ts";
import type { ArgumentFacts, CommandFacts, OptionFacts } from "./command-tree.ts";
import { managebootVerbs, translatedArguments } from "./manageboot.ts";

/** What may be in the place of a word. */
export type Place =
  | { readonly kind: "candidates"; readonly candidates: readonly Candidate[] }
  | { readonly kind: "units"; readonly monitored: boolean }
  | { readonly kind: "boots" }
  | { readonly kind: "files" }
  | { readonly kind: "folders" }
  | { readonly kind: "anything" };

export interface Candidate {
  readonly word: string;
  readonly description: string;
}

export interface Completion {
  readonly place: Place;
  /** The part of the word typed so far. */
  readonly typed: string;
  /** Comes before each candidate: `--unit=`, where that is part of the same word. */
  readonly prefix: string;
}

/**
 * Finds what may be in the place of the last word.
 *
 * @param words the line up to the cursor, with the program's name; the last one is being typed, and may be empty
 */
export function completion(program: CommandFacts, words: readonly string[]): Completion {
  const [name = "", ...all] = joinedAtEquals(words);
  const typed = all.at(-1) ?? "";
  const { command, operands, awaiting } = placeAfter(program, translatedArguments(name, all.slice(0, -1)));
  if (awaiting !== undefined) return { place: optionPlace(awaiting, command), typed, prefix: "" };
  const [, option = "", value] = /^(--[^=]+)=(.*)$/s.exec(typed) ?? [];
  if (value !== undefined) {
    const known = optionsOf(command, program).find(({ name: each }) => each === option);
    const place: Place = known === undefined ? { kind: "anything" } : optionPlace(known, command);
    // Where bash splits at `=`, a candidate is the value alone.
    return { place, typed: value, prefix: words.includes("=") ? "" : `${option}=` };
  }
  return { place: typed.startsWith("-") ? optionNames(command, program) : operandPlace(command, operands, program), typed, prefix: "" };
}

/** The profile that the line names, whose units the completion offers. */
export function profileIn(words: readonly string[]): ProfileName | undefined {
  const line = joinedAtEquals(words).join(" ");
  const [, name] = / --profile[ =](\S+) /.exec(line) ?? [];
  return profileNames.find((known) => known === name);
}

/** bash splits `--unit=net` into three words. */
function joinedAtEquals(words: readonly string[]): readonly string[] {
  const joined: string[] = [];
  for (const [index, word] of words.entries()) {
    const before = joined.at(-1);
    if (before?.startsWith("--") === true && (word === "=" || words[index - 1] === "=")) joined.splice(-1, 1, before + word);
    else joined.push(word);
  }
  return joined;
}

interface Reached {
  readonly command: CommandFacts;
  /** The number of words so far that are neither commands nor options. */
  readonly operands: number;
  /** The option whose value comes next. */
  readonly awaiting?: OptionFacts;
}

function placeAfter(program: CommandFacts, words: readonly string[]): Reached {
  let command = program;
  let operands = 0;
  let awaiting: OptionFacts | undefined;
  for (const word of words) {
    if (awaiting !== undefined && !(awaiting.value === "optional" && word.startsWith("-"))) {
      awaiting = undefined;
    } else if (word.startsWith("-")) {
      const option = optionsOf(command, program).find(({ name }) => name === word);
      awaiting = option?.value === "none" ? undefined : option;
    } else {
      const child = operands === 0 ? command.commands.find(({ words: path }) => path.at(-1) === word) : undefined;
      if (child !== undefined) command = child;
      else if (!(word === "help" && command === program)) operands += 1;
    }
  }
  // An optional value is not completed: only the user knows it.
  return { command, operands, ...(awaiting?.value === "required" ? { awaiting } : {}) };
}

/** Its own options, and those of its default subcommand. */
function optionsOf(command: CommandFacts, program: CommandFacts): readonly OptionFacts[] {
  const own = command.options;
  const others = command.commands.find(({ words }) => words.at(-1) === command.byDefault)?.options ?? [];
  const all = [...own, ...others.filter(({ name }) => own.every((option) => option.name !== name))];
  return command === program ? all : all.filter(({ name }) => name !== "--version");
}

function optionNames(command: CommandFacts, program: CommandFacts): Place {
  return { kind: "candidates", candidates: optionsOf(command, program).map(({ name, description }) => ({ word: name, description })) };
}

function operandPlace(command: CommandFacts, operands: number, program: CommandFacts): Place {
  const argument = command.arguments[operands];
  if (argument !== undefined) return argumentPlace(argument);
  if (operands > 0 || command.commands.length === 0) return { kind: "candidates", candidates: [] };
  const children = command.commands.map(({ words, description }) => ({ word: words.at(-1) ?? "", description }));
  const help = command === program ? [{ word: "help", description: "show the help of a command" }] : [];
  return { kind: "candidates", candidates: [...children, ...help] };
}

function optionPlace({ name, valueName, choices }: OptionFacts, command: CommandFacts): Place {
  if (choices.length > 0) return { kind: "candidates", candidates: choices.map((word) => ({ word, description: "" })) };
  if (name === "--unit") return { kind: "units", monitored: command.words[0] === "monitor" };
  if (name === "--boot") return { kind: "boots" };
  return { kind: valueName === "file" || valueName === "path" ? "files" : "anything" };
}

function argumentPlace({ name }: ArgumentFacts): Place {
  switch (name) {
    case "unit":
      return { kind: "units", monitored: false };
    case "from":
    case "to":
      return { kind: "boots" };
    case "image":
      return { kind: "files" };
    case "folder":
      return { kind: "folders" };
    case "verb":
      return {
        kind: "candidates",
        candidates: Object.entries(managebootVerbs).map(([word, meant]) => ({ word, description: `guestos-boot ${meant.join(" ")}` })),
      };
    default:
      return { kind: "anything" };
  }
}
