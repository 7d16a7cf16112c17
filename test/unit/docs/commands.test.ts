import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { DEFAULT_PROFILE, profileNames } from "../../../src/profiles/profiles.ts";
import { gates, imageScript } from "../../../tools/gates.ts";
import { everyUnit } from "../../support/chains.ts";
import { documentedCommands } from "../../support/documented/commands.ts";
import { elsewhere, mentions } from "../../support/documented/elsewhere.ts";
import { here } from "../../support/documented/here.ts";
import { onANode } from "../../support/documented/on-a-node.ts";

const documented = documentedCommands();
const commands = [...new Set(documented.map(({ command }) => command))];
/** `node lab/run.ts 'X'` runs X on the node: what is in quotes is what has to work. */
const typed = commands.map((command) => /^node lab\/run\.ts '(.*)'$/.exec(command)?.[1] ?? command);
const units = new Set(everyUnit.map(({ name }) => name));

/** The file, and what it imports of test/. */
function textOf(file: string, seen = new Set<string>()): string {
  if (seen.has(file)) return "";
  seen.add(file);
  const text = readFileSync(file, "utf8");
  const imported = [...text.matchAll(/(?:from |import\()"(\.[^"]+)"/g)].map(([, path = ""]) => join(dirname(file), path));
  return [text, ...imported.filter((path) => path.startsWith("test/")).map((path) => textOf(path, seen))].join("\n");
}

/** A word that stands for a value: another one may take its place. `tree` is what documents call an image's folder. */
function isValue(word: string): boolean {
  return word === "tree" || /^[^a-z]*$/.test(word) || /^\d|[./…]|:\/\//.test(word) || units.has(word);
}

const isMake = (command: string): boolean => /^(?:[A-Z_]+=\S+ )*make /.test(command);

test("each command of the documents is run by a test, in one way", () => {
  const places = typed.map((command) => {
    const ways = [
      ...(Object.hasOwn(elsewhere, command) ? ["elsewhere"] : []),
      ...(Object.hasOwn(mentions, command) ? ["no command"] : []),
      ...(onANode.some((row) => row.command === command) ? ["on a node"] : []),
      ...(Object.hasOwn(here, command) ? ["here"] : []),
      ...(isMake(command) && !Object.hasOwn(mentions, command) ? ["make"] : []),
    ];
    return `${command}: ${ways.join(", ")} (${documented.find((each) => each.command.includes(command))?.at})`;
  });
  expect(places.filter((place) => !/: (?:elsewhere|no command|on a node|here|make) \([^(]+\)$/.test(place))).toEqual([]);
});

test("no table speaks of a command that is in no document", () => {
  const rows = [...Object.keys(elsewhere), ...Object.keys(mentions), ...Object.keys(here), ...onANode.map(({ command }) => command)];
  expect(rows.filter((row) => !commands.includes(row) && !typed.includes(row))).toEqual([]);
});

test.each(Object.entries(elsewhere))("%s is run where the table says", (command, { file, as }) => {
  expect(existsSync(file), file).toBe(true);
  const text = textOf(file);
  for (const piece of as) expect(text, file).toContain(piece);
  // manageboot and the program are called by helpers as well as by name.
  const words = command.split(" ").filter((word) => !isValue(word) && !["guestos-boot", "-", "<"].includes(word));
  expect(words.filter((word) => !as.join(" ").includes(word))).toEqual([]);
});

/** Of the variables that a target takes, those that the Makefile or a script of it reads. */
const read = new Set(
  [...globSync("{image,lab,tools,bench,test}/**/*.{ts,sh}"), "Makefile"].flatMap((file) => {
    const reading = file.endsWith(".ts") ? /env\["([A-Z_]+)"\]/g : /\$[({]?([A-Z_]+)\b/g;
    return [...readFileSync(file, "utf8").matchAll(reading)].map(([, name = ""]) => name);
  }),
);

test.each(commands.filter((command) => isMake(command) && !Object.hasOwn(mentions, command)))(
  "%s is a target, with variables that are read",
  (command) => {
    const [, before = "", target = "", after = ""] = /^((?:[A-Z_]+=\S+ )*)make ([\w-]+)(.*)$/.exec(command) ?? [];
    for (const [, name] of `${before}${after}`.matchAll(/\b([A-Z_]+)=/g)) expect(read, name).toContain(name);
    const values = [...after.matchAll(/([A-Z_]+=(?:"[^"]*"|\S+))/g)].map(([, value = ""]) => value.replaceAll('"', ""));
    // A line with $(MAKE) in it is run all the same.
    const { status, stderr } = spawnSync("make", ["--dry-run", target, ...values, "NODE=true", "MAKE=true"], { encoding: "utf8" });
    expect(status, stderr).toBe(0);
  },
);

test("what make test runs is what CI runs, and with it the program's build and every image", () => {
  const { stdout } = spawnSync("make", ["--dry-run", "test"], { encoding: "utf8" });
  expect(stdout).toContain("tools/test.ts all");
  // Of the script, what it runs: it is not to remove anything.
  const ci = spawnSync("bash", ["-c", 'make() { echo "make $*"; }; rm() { :; }; . .ci/run', ".ci/run"], { encoding: "utf8" });
  expect(ci.stdout).toContain("make test\n");
  const projectsOf = (...names: readonly string[]): readonly string[] =>
    names
      .flatMap((name) => gates[name]?.steps ?? [])
      .flatMap((step) => (step.kind === "tests" ? step.lanes.flat() : []))
      .toSorted();
  expect(projectsOf("all")).toEqual(projectsOf("check", "check-system", "vm"));
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { readonly scripts: Readonly<Record<string, string>> };
  for (const profile of profileNames)
    expect(scripts[imageScript(profile)], `package.json: ${imageScript(profile)} is to build the image of ${profile}`).toBe(
      profile === DEFAULT_PROFILE ? "node image/build.ts" : `PROFILE=${profile} node image/build.ts`,
    );
});
