import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { CommandFacts } from "../../../../src/cli/command-tree.ts";
import { wholeCommandLine } from "../../../../tools/man/manual.ts";
import { documents } from "../../../../tools/schemas/documents.ts";
import { publishedSchemas } from "../../../../tools/schemas/json-schema.ts";
import { schemaIssues } from "../../../support/json-schema.ts";

const schemas = publishedSchemas();

test("share/schemas has every schema as it is now, and no other; make schemas writes them", () => {
  expect(readdirSync("share/schemas").toSorted()).toEqual([...schemas.keys()].map((name) => `${name}.json`).toSorted());
  for (const [name, text] of schemas) expect(readFileSync(`share/schemas/${name}.json`, "utf8"), name).toBe(text);
});

test("every command that takes --json has a schema", () => {
  const withJson = (command: CommandFacts): readonly string[] => [
    ...(command.options.some(({ name }) => name === "--json") ? [command.words.join(" ")] : []),
    ...command.commands.flatMap(withJson),
  ];
  const known: readonly string[] = Object.values(documents).flatMap(({ commands }): readonly string[] => commands);
  // A trace has the format of its viewer, and manageboot is other names for commands.
  const others = ["analyze trace", "manageboot"];
  expect(
    withJson(wholeCommandLine())
      .filter((words) => words !== "")
      .toSorted(),
  ).toEqual([...known, ...others].toSorted());
});

test("a reader bears what later versions add, and misses what every version has", () => {
  expect(faults("upgrade-slot", { slot: "A", since: "later" })).toEqual([]);
  expect(faults("upgrade-slot", {})).toHaveLength(1);
  expect(faults("upgrade-slot", { slot: "C" })).toHaveLength(1);
});

/** The places at which a published schema refuses a document: what an editor says of a file. */
function faults(name: string, document: unknown): readonly string[] {
  return schemaIssues(JSON.parse(schemas.get(name) ?? ""), document).map(({ path }) => path.join("."));
}

test("an editor knows what may are in config.yaml and unit.yaml", () => {
  expect(faults("config-file", {})).toEqual([]);
  expect(faults("config-file", { units: { var: { timeout: 60 } }, layout: { volumes: { "shared-data": { share: "1/2" } } } })).toEqual([]);
  expect(faults("config-file", { unit: {} })).toHaveLength(1);
  expect(faults("config-file", { units: { var: { timeout: 5 } } })).toEqual(["units.var.timeout"]);
  expect(faults("config-file", { units: { var: { onFailure: "degrade" } } })).toEqual(["units.var.onFailure"]);
  expect(faults("extra-unit", { title: "Extra", stage: "early" })).toEqual([]);
  expect(faults("extra-unit", { stage: "middle" })).toEqual(["title", "stage"]);
});
