import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const document = readFileSync("docs/dependencies.md", "utf8");
const { dependencies, devDependencies } = JSON.parse(readFileSync("package.json", "utf8")) as Readonly<
  Record<"dependencies" | "devDependencies", Readonly<Record<string, string>>>
>;

test.each([
  ["In the executable", dependencies],
  ["For development", devDependencies],
])("the table %s of docs/dependencies.md has a row for every package of package.json, and for no other", (title, packages) => {
  const [, section = ""] = document.split(`## ${title}\n`);
  const [table = ""] = section.split("\n## ");
  const named = [...table.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = ""]) => cell.replaceAll("`", "").split(", "));
  expect(named.toSorted()).toEqual(Object.keys(packages).toSorted());
});
