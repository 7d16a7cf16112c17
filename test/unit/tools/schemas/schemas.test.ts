import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { CommandFacts } from "../../../../src/cli/command-tree.ts";
import { z } from "../../../../src/config/schema.ts";
import { wholeCommandLine } from "../../../../tools/man/manual.ts";
import { type DocumentName, documents } from "../../../../tools/schemas/documents.ts";
import { schemaText } from "../../../../tools/schemas/json-schema.ts";

const names = Object.keys(documents) as DocumentName[];

test("share/schemas has every schema as it is now, and no other; make schemas writes them", () => {
  expect(readdirSync("share/schemas").toSorted()).toEqual(names.map((name) => `${name}.json`).toSorted());
  for (const name of names) expect(readFileSync(`share/schemas/${name}.json`, "utf8"), name).toBe(schemaText(name));
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
  const schema = z.fromJSONSchema(JSON.parse(schemaText("upgrade-slot")) as z.core.JSONSchema.JSONSchema);
  expect(schema.safeParse({ slot: "A", since: "later" }).success).toBe(true);
  expect(schema.safeParse({}).success).toBe(false);
  expect(schema.safeParse({ slot: "C" }).success).toBe(false);
});
