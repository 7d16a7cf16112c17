import { expect, test } from "vitest";
import { type CommandFacts, commandTree } from "../../../src/cli/command-tree.ts";
import { type Completion, completion } from "../../../src/cli/complete.ts";
import { guestosProgram } from "../../../src/cli/program.ts";

const program = guestosProgram({
  terminal: { print: () => undefined, complain: () => undefined, colour: false },
  setup: () => Promise.reject(new Error("nothing is run")),
  end: () => undefined,
  entries: ["network.conf"],
});
const tree = commandTree(program);

function after(...words: readonly string[]): Completion {
  return completion(tree, words);
}

function candidates(...words: readonly string[]): readonly string[] {
  const { place } = after(...words);
  return place.kind === "candidates" ? place.candidates.map(({ word }) => word) : [place.kind];
}

/** What only the program itself, and its services, call. */
const OWN = ["complete", "setup-screen"];

test("every command may follow, and what only the program itself calls may not", () => {
  const words = candidates("guestos-boot", "");
  expect(words).toEqual([...program.commands.map((command) => command.name()).filter((name) => !OWN.includes(name)), "help"]);
  expect(candidates("guestos-boot", "help", "")).toEqual(words);
});

test("what stands for an absent command is what commander calls then", () => {
  const defaults = (facts: CommandFacts): readonly (readonly [string, string])[] => {
    const command = facts.words.reduce((found, name) => found.commands.find((child) => child.name() === name) ?? found, program);
    const own: unknown = Reflect.get(command, "_defaultCommandName");
    expect(facts.byDefault, facts.words.join(" ")).toBe(own ?? undefined);
    return [
      ...(facts.byDefault === undefined ? [] : [[facts.words.join(" "), facts.byDefault] as const]),
      ...facts.commands.flatMap(defaults),
    ];
  };
  expect(Object.fromEntries(defaults(tree))).toMatchObject({ "": "run", upgrade: "status" });
});

test("options are those of the command, and of the one that is called without a word", () => {
  expect(candidates("guestos-boot", "plan", "-")).toEqual(["--unit", "--stage", "--profile", "--json", "--help"]);
  expect(candidates("guestos-boot", "--")).toEqual(expect.arrayContaining(["--version", "--unit", "--wait"]));
  expect(candidates("guestos-boot", "upgrade", "--")).toEqual(["--help", "--json"]);
});

test.each<readonly [readonly string[], Completion]>([
  [["run", "--unit", "ne"], { place: { kind: "units", monitored: false }, typed: "ne", prefix: "" }],
  [["monitor", "--unit", ""], { place: { kind: "units", monitored: true }, typed: "", prefix: "" }],
  [["--unit=ne"], { place: { kind: "units", monitored: false }, typed: "ne", prefix: "--unit=" }],
  [["run", "--unit", "=", "ne"], { place: { kind: "units", monitored: false }, typed: "ne", prefix: "" }],
  [["run", "--unit", "="], { place: { kind: "units", monitored: false }, typed: "", prefix: "" }],
  [["run", "--unit", "=", "network", "--unit", ""], { place: { kind: "units", monitored: false }, typed: "", prefix: "" }],
  [["status", "--boot", ""], { place: { kind: "boots" }, typed: "", prefix: "" }],
  [["analyze", "diff", "1", ""], { place: { kind: "boots" }, typed: "", prefix: "" }],
  [["analyze", "blame", "--record", "o"], { place: { kind: "files" }, typed: "o", prefix: "" }],
  [["upgrade", "install", ""], { place: { kind: "files" }, typed: "", prefix: "" }],
  [["check-node-config", ""], { place: { kind: "folders" }, typed: "", prefix: "" }],
  [["check-node-hardware", ""], { place: { kind: "folders" }, typed: "", prefix: "" }],
  [["check-node-config", "--mac", ""], { place: { kind: "anything" }, typed: "", prefix: "" }],
  [["config-image", ""], { place: { kind: "folders" }, typed: "", prefix: "" }],
  [["config-image", "--network-conf", ""], { place: { kind: "files" }, typed: "", prefix: "" }],
  [["why", "--boot", "1", ""], { place: { kind: "units", monitored: false }, typed: "", prefix: "" }],
  [["upgrade", "install", "--sha256", ""], { place: { kind: "anything" }, typed: "", prefix: "" }],
])("after guestos-boot %j comes what that place asks for", (words, expected) => {
  expect(after("guestos-boot", ...words)).toEqual(expected);
});

test("an optional value may be left out: what comes next is an option again", () => {
  expect(candidates("guestos-boot", "--wait", "--st")).toEqual(expect.arrayContaining(["--stage"]));
});

test("manageboot has its own verbs, and what follows them is that of the command they mean", () => {
  expect(candidates("manageboot", "")).toEqual(candidates("guestos-boot", "manageboot", ""));
  expect(candidates("/usr/bin/manageboot", "up")).toEqual(expect.arrayContaining(["upgrade-install", "confirm"]));
  expect(candidates("manageboot", "guestos", "upgrade-install", "--")).toEqual(expect.arrayContaining(["--sha256", "--signature"]));
});

test("where nothing may follow, nothing is offered", () => {
  expect(candidates("guestos-boot", "status", "")).toEqual([]);
  expect(candidates("guestos-boot", "why", "network", "")).toEqual([]);
});
