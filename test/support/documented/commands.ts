import { readdirSync, readFileSync } from "node:fs";
import type { CommandFacts } from "../../../src/cli/command-tree.ts";
import { wholeCommandLine } from "../../../tools/man/manual.ts";

/** A command that a reader finds in a document, or in the examples of --help and the manual, and may type. */
export interface DocumentedCommand {
  /** As it is there, without prompt and comment. */
  readonly command: string;
  /** `docs/operator.md:12`, or `--help of guestos-boot plan`. */
  readonly at: string;
  /** What the document shows that it prints; empty where it shows nothing. */
  readonly shown: readonly string[];
}

/** What a fenced block may be: others hold no commands. A block that does not say what it is would be one that no one inspects. */
const LANGUAGES = ["sh", "console", "text", "bash", "ts", "yaml", "json", "mermaid"];

const documents: readonly string[] = [
  "README.md",
  "ARCHITECTURE.md",
  ...readdirSync("docs")
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** @throws Error for a block that does not say what it holds, or a session without a command */
export function documentedCommands(): readonly DocumentedCommand[] {
  const subcommands = wholeCommandLine().commands.map(({ words }) => words[0] ?? "");
  return [...documents.flatMap((file) => commandsOf(file, subcommands)), ...examplesOf(wholeCommandLine())];
}

/** The commands of a section, in their order. @param title of its heading, of any level; the section ends at the next heading of any level */
export function commandsOfSection(file: string, title: string): readonly string[] {
  const lines = readFileSync(file, "utf8").split("\n");
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, "") === title);
  if (start === -1) throw new Error(`${file} has no section ${title}`);
  const length = lines.slice(start + 1).findIndex((line) => line.startsWith("#"));
  const isIn = ({ at }: DocumentedCommand): boolean => {
    const [name, line] = at.split(":");
    return name === file && Number(line) > start + 1 && (length === -1 || Number(line) <= start + 1 + length);
  };
  return documentedCommands()
    .filter(isIn)
    .map(({ command }) => command);
}

function commandsOf(file: string, subcommands: readonly string[]): readonly DocumentedCommand[] {
  const text = readFileSync(file, "utf8");
  const at = (index: number): string => `${file}:${text.slice(0, index).split("\n").length}`;
  const inBlocks = [...text.matchAll(/^```(.*)\n([^]*?)^```$/gm)].flatMap(({ 1: language = "", 2: block = "", index }) => {
    if (!LANGUAGES.includes(language)) throw new Error(`${at(index)}: a block of the kind ${JSON.stringify(language)}`);
    const commands = blockCommands(language, block.split("\n").slice(0, -1));
    if (commands.length === 0 && (language === "sh" || language === "console")) throw new Error(`${at(index)}: no command`);
    return commands.map((command) => ({ ...command, at: at(index) }));
  });
  // Blanked, not taken out, so that places stay what they are.
  const running = text.replaceAll(/^```.*\n[^]*?^```$/gm, (block) => block.replaceAll(/[^\n]/g, " "));
  const inline = [...running.matchAll(/`([^`]+)`/g)].flatMap(({ 1: words = "", index }) => {
    const command = inlineCommand(words.replaceAll(/\s+/g, " ").replaceAll("\\|", "|"), subcommands);
    return command === undefined ? [] : [{ command, at: at(index), shown: [] }];
  });
  return [...inBlocks, ...inline];
}

function blockCommands(language: string, lines: readonly string[]): readonly Omit<DocumentedCommand, "at">[] {
  if (language === "sh") {
    return lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => ({ command: bare(line), shown: [] }));
  }
  if (language !== "console") return [];
  const starts = lines.flatMap((line, index) => (/^[#$] /.test(line) ? [index] : []));
  return starts.map((start, index) => ({
    command: bare((lines[start] ?? "").slice(2)),
    shown: lines.slice(start + 1, starts[index + 1]),
  }));
}

/** Without what is behind it as a comment. */
function bare(line: string): string {
  return line.replace(/ +# .*$/, "").trim();
}

/**
 * Of code in running text: whatever has the form of a command, a program's name and at least one word. What only has that form has to be said
 * to be none, in `mentions`.
 */
function inlineCommand(words: string, subcommands: readonly string[]): string | undefined {
  const [, program] = /^(?:[A-Z_]+=\S+ )*([a-z][\w-]*) \S/.exec(words) ?? [];
  if (program === undefined) return undefined;
  return subcommands.includes(program) && program !== "manageboot" ? `guestos-boot ${words}` : words;
}

/** The examples of --help, from which those of the manual are made. */
function examplesOf(facts: CommandFacts): readonly DocumentedCommand[] {
  const at = `--help of ${["guestos-boot", ...facts.words].join(" ")}`;
  const blocks = facts.text.split("\n\n").filter((block) => /^Examples?\b.*:\n/.test(block));
  const lines = blocks.flatMap((block) =>
    block
      .replaceAll(/\s*\\\n\s*/g, " ")
      .split("\n")
      .slice(1),
  );
  const own = lines.map((line) => ({ command: line.trim().replace(/ {2,}.*$/, ""), at, shown: [] }));
  return [...own, ...facts.commands.flatMap(examplesOf)];
}
