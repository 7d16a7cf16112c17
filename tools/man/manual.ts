import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandFacts, commandTree, type OptionFacts } from "../../src/cli/command-tree.ts";
import { exitCodes } from "../../src/run/exit-codes.ts";
import { guestosProgram } from "../../src/cli/program.ts";
import { allTopLevelEntries } from "../../src/cli/medium-entries.ts";
import { profileSetup } from "../../src/run/load-setup.ts";
import { DEFAULT_PROFILE, profileNames, profiles } from "../../src/profiles/profiles.ts";
import { roffOf, sectionOf } from "./markdown.ts";
import { bold, escaped, example, heading, indented, item, literal, type Page, pageHead, pageText, paragraph, subheading } from "./roff.ts";

/** Of every profile's medium. */
const entries = await allTopLevelEntries();

const docs = join(import.meta.dirname, "../../docs");

/** The units of the default profile; and of each other one, those that the default one has not. */
const usual = await profiles[DEFAULT_PROFILE].chain();
const others = await Promise.all(
  profileNames
    .filter((profile) => profile !== DEFAULT_PROFILE)
    .map(async (profile) => ({
      profile,
      units: (await profiles[profile].chain()).filter(({ name }) => usual.every((unit) => unit.name !== name)),
    })),
);

export interface Edition {
  readonly version: string;
  /** ISO 8601: of the sources, so that the same ones make the same page. */
  readonly date: string;
}

/** The pages by the names of their files, from what --help and the documents are made of. */
export function manual(edition: Edition): ReadonlyMap<string, string> {
  return new Map([
    ["guestos-boot.8", pageText(programPage(edition))],
    ["manageboot.8", ".so man8/guestos-boot.8\n"],
    [
      "guestos-config.5",
      pageText(
        documentPage("configuration.md", {
          ...{ name: "guestos-config", section: 5, purpose: "the medium and the files that make a GuestOS a node", ...edition },
          seeAlso: "guestos-boot(8), guestos-boot.conf(5)",
        }),
      ),
    ],
    [
      "guestos-boot.conf.5",
      pageText(
        documentPage("boot-config.md", {
          ...{ name: "guestos-boot.conf", section: 5, purpose: "names, sizes, timeouts and extra units of the boot", ...edition },
          files: ["/etc/guestos-boot/config.yaml", "/etc/guestos-boot/units.d/", "/usr/share/guestos-boot/schemas/config-file.json"],
          seeAlso: "guestos-boot(8), guestos-config(5)",
        }),
      ),
    ],
  ]);
}

/** The command line that the pages describe. */
export function wholeCommandLine(): CommandFacts {
  const silent = { print: () => undefined, complain: () => undefined, colour: false };
  return commandTree(guestosProgram({ terminal: silent, setup: profileSetup, end: () => undefined, entries }));
}

function programPage(edition: Edition): readonly string[] {
  const program = wholeCommandLine();
  const common = program.commands[0]?.options.filter(isCommon) ?? [];
  return [
    ...pageHead({ name: "guestos-boot", section: 8, purpose: "boot orchestrator of a GuestOS", ...edition }),
    ...heading("Synopsis"),
    ...[
      `${bold("guestos-boot")} [\\fIcommand\\fR] [\\fIoptions\\fR]`,
      ".br",
      `${bold("manageboot")} [${bold("guestos")}] \\fIverb\\fR [\\fIoptions\\fR]`,
    ],
    ...heading("Description"),
    ...paragraph(escaped(program.description)),
    ...helpRoff(program.text.split("\n\nExamples")[0] ?? ""),
    ...paragraph(
      `It is run by ${bold("guestos-boot.service")} at each boot; ${bold("guestos-boot.target")} is reached when all went well.`,
    ),
    ...heading("Options"),
    ...optionItems(
      [...program.options, ...common].filter(({ name }, index, all) => all.findIndex((other) => other.name === name) === index),
    ),
    ...heading("Commands"),
    ...groupsOf(program).flatMap(([title, commands]) => [...subheading(title), ...commands.flatMap(commandRoff)]),
    ...heading("Units"),
    ...paragraph(`What may be named after ${bold("--unit")}, in boot order:`),
    ...usual.flatMap(({ name, title }) => item(bold(name), escaped(title))),
    ...others.flatMap(({ profile, units }) => [
      ...paragraph(`The profile ${bold(profile)} has some of these, and:`),
      ...units.flatMap(({ name, title }) => item(bold(name), escaped(title))),
    ]),
    ...heading("Exit status"),
    ...Object.values(exitCodes).flatMap(({ code, meaning }) => item(bold(String(code)), escaped(meaning))),
    ...heading("Environment"),
    ...environment.flatMap(([name, text]) => item(bold(name), escaped(text))),
    ...heading("Files"),
    ...roffOf(sectionOf(document("operator.md"), "What is where")),
    ...paragraph(`${bold("/usr/share/guestos-boot/schemas/")} has a JSON Schema for what each command prints with ${bold("--json")}.`),
    ...heading("Examples"),
    ...helpRoff(rootExamples(program.text)),
    ...heading("See also"),
    ...["guestos-config(5), guestos-boot.conf(5), systemctl(1), systemd-analyze(1), journalctl(1), bootup(7)"],
  ];
}

/** The page of a document. */
function documentPage(file: string, page: Page & { readonly seeAlso: string; readonly files?: readonly string[] }): readonly string[] {
  const body = document(file).replace(/^# .*$/m, "");
  return [
    ...pageHead(page),
    ...heading("Description"),
    ...roffOf(body),
    ...(page.files === undefined ? [] : [...heading("Files"), ...page.files.flatMap((name) => paragraph(bold(name)))]),
    ...heading("See also"),
    page.seeAlso,
  ];
}

const environment: readonly (readonly [string, string])[] = [
  ["NO_COLOR", "without colour, when set to anything; colour is for terminals anyway"],
  ["LC_ALL, LC_CTYPE, LANG", "whether the reader knows UTF-8; messages are English in any case"],
  ["GUESTOS_CONSOLE", "set by the services: where what people read at boot goes, such as /dev/console"],
  ["DBUS_SYSTEM_BUS_ADDRESS", "where the system bus is, if not in its usual place"],
];

/** Those that every command has, and that are described once. */
function isCommon({ name }: OptionFacts): boolean {
  return name === "--help" || name === "--json";
}

/** Commands in the groups of --help, and in its order. */
function groupsOf({ commands }: CommandFacts): readonly (readonly [string, readonly CommandFacts[]])[] {
  return [...Map.groupBy(commands, ({ group }) => group)];
}

function commandRoff(command: CommandFacts): readonly string[] {
  const body = [
    ...command.arguments
      .filter(({ description }) => description !== "")
      .flatMap(({ name, description }) => item(`\\fI${literal(name)}\\fR`, escaped(description))),
    ...optionItems(command.options.filter((option) => !isCommon(option))),
    ...helpRoff(command.text),
  ];
  return [
    ...item(usageRoff(command.usage), escaped(`${capitalized(command.description)}.`)),
    ...(body.length === 0 ? [] : indented(body)),
    ...command.commands.flatMap(commandRoff),
  ];
}

function optionItems(options: readonly OptionFacts[]): readonly string[] {
  return options.flatMap(({ name, term, description }) => {
    const value = term.slice(name.length).replaceAll(/\w+/g, (word) => `\\fI${word}\\fR`);
    return item(`${bold(name)}${value.replaceAll(/[<>]/g, "")}`, escaped(description));
  });
}

/** `guestos-boot why [options] <unit>`: words as they are typed, places in italics. */
function usageRoff(usage: string): string {
  return usage
    .split(" ")
    .map((word) =>
      /^[<[]/.test(word) ? word.replaceAll(/[\w-]+/g, (name) => `\\fI${literal(name)}\\fR`).replaceAll(/[<>]/g, "") : bold(word),
    )
    .join(" ");
}

/** What is below the options in --help: paragraphs, and examples after a line that says so. */
function helpRoff(text: string): readonly string[] {
  if (text === "") return [];
  return text.split("\n\n").flatMap((part) => {
    const [first = "", ...rest] = part.split("\n");
    return /^Examples?.*:$/.test(first)
      ? [...paragraph(escaped(first)), ...example(rest.map((line) => line.replace(/^ {2}/, "")))]
      : paragraph(escaped(part));
  });
}

function rootExamples(text: string): string {
  return text
    .split("\n\n")
    .filter((part) => part.startsWith("Examples"))
    .join("\n\n");
}

function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function document(name: string): string {
  return readFileSync(join(docs, name), "utf8");
}
