import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { CommandFacts } from "../../../../src/cli/command-tree.ts";
import { exitCodes } from "../../../../src/run/exit-codes.ts";
import { BootConfig } from "../../../../src/config/boot-config.ts";
import { allTopLevelEntries } from "../../../../src/cli/medium-entries.ts";
import { everyUnit, guestos } from "../../../support/chains.ts";
import { valuesOf } from "../../../../tools/reference/config-reference.ts";
import { manual, wholeCommandLine } from "../../../../tools/man/manual.ts";
import { bold } from "../../../../tools/man/roff.ts";

const pages = manual({ version: "1.2.3", date: "2026-10-05" });
const program = pages.get("guestos-boot.8") ?? "";
const configuration = pages.get("guestos-config.5") ?? "";

/** The lines from that item on, up to the next command. */
function itemOf(words: readonly string[]): string {
  const start = program.indexOf(`.TP\n${["guestos-boot", ...words].map(bold).join(" ")}`);
  expect(start, words.join(" ")).toBeGreaterThan(-1);
  const end = program.indexOf(`.TP\n${bold("guestos-boot")} `, start + 1);
  return program.slice(start, end === -1 ? undefined : end);
}

function everyCommand(command: CommandFacts): readonly CommandFacts[] {
  return command.commands.flatMap((child) => [child, ...everyCommand(child)]);
}

test("every command is in guestos-boot(8), with each of its options and its examples", () => {
  const commands = everyCommand(wholeCommandLine());
  expect(commands.length).toBeGreaterThan(20);
  for (const { words, options, text } of commands) {
    const item = itemOf(words);
    for (const { name } of options) {
      if (name === "--json" || name === "--help") expect(program).toContain(`.TP\n${bold(name)}\n`);
      else expect(item, words.join(" ")).toContain(`.TP\n${bold(name)}`);
    }
    if (text.includes("Example")) expect(item).toMatch(/^Examples?:\n\.PP\n\.RS 4\n\.nf\n/m);
  }
});

test("what may be given to config-image one by one is in it too", async () => {
  for (const entry of await allTopLevelEntries()) expect(program).toContain(bold(`--${entry.replaceAll(/[._]/g, "-")}`));
});

test("so does every exit code, and every unit", () => {
  for (const { code, meaning } of Object.values(exitCodes)) expect(program).toContain(`.TP\n${bold(String(code))}\n${meaning}\n`);
  for (const { name, title } of everyUnit) expect(program).toContain(`.TP\n${bold(name)}\n${title}\n`);
});

test("guestos-config(5) has every section and every key of docs/configuration.md", async () => {
  const document = readFileSync("docs/configuration.md", "utf8");
  for (const [, title = ""] of document.matchAll(/^## (.*)$/gm)) expect(configuration).toContain(`.SH ${title.toUpperCase()}\n`);
  for (const [, key = ""] of document.matchAll(/^\| `(\w+)`/gm)) expect(configuration).toContain(`.TP\n${bold(key)}`);
  for (const entry of await allTopLevelEntries())
    expect(configuration, `docs/configuration.md has to name ${entry}`).toContain(bold(entry).slice(3, -3));
});

test("guestos-boot.conf(5) has every value of the configuration file with its default, and every unit", () => {
  const page = pages.get("guestos-boot.conf.5") ?? "";
  const values = valuesOf(BootConfig);
  expect(values.length).toBeGreaterThan(25);
  for (const { key, default: usual } of values) {
    const [, item = ""] = page.split(`.TP\n${bold(key)}\n`);
    expect(item.split(".TP")[0], key).toContain(usual.startsWith("`") ? `default: ${bold(usual.slice(1, -1))}` : usual);
  }
  for (const { name } of guestos) expect(page, `${name}: make schemas writes it`).toContain(`.TP\n${bold(name)}\n`);
});

test("the pages say what they are of, and from when", () => {
  expect(program).toMatch(/^\.TH GUESTOS\\-BOOT 8 2026-10-05 "guestos\\-boot 1\.2\.3" "GuestOS"\n/);
  expect(pages.get("manageboot.8")).toBe(".so man8/guestos-boot.8\n");
  // The same sources, the same page.
  expect(manual({ version: "1.2.3", date: "2026-10-05" })).toEqual(pages);
});
