import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
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

/** As `elsewhere` has it: of commands that differ in the name of a unit, or in what stands for a value, one is run. */
function general(command: string): string {
  if (elsewhere.has(command)) return command;
  return command
    .replaceAll(/--unit (\S+)/g, (option, name: string) => (units.has(name) ? "--unit NAME" : option))
    .replaceAll('"$HASH"', "HASH")
    .replaceAll("https://example.org/", "https://host/");
}

const isMake = (command: string): boolean => /^(?:[A-Z_]+=\S+ )*make /.test(command);

test("each command of the documents is run by a test, in one way", () => {
  const places = typed.map((command) => {
    const ways = [
      ...(elsewhere.has(general(command)) ? ["elsewhere"] : []),
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
  const rows = [...elsewhere, ...Object.keys(mentions), ...Object.keys(here), ...onANode.map(({ command }) => command)];
  const known = new Set([...commands, ...typed, ...typed.map(general)]);
  expect(rows.filter((row) => !known.has(row))).toEqual([]);
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
