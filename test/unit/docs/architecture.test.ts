import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { roomNames, rooms, roomsPicture } from "../../../tools/rooms.ts";

/** Every file of src/, with what it imports of src/: also types alone, and what is loaded when it is asked for. */
const imports = new Map(
  globSync("src/**/*.ts").map((file) => [
    file,
    [...readFileSync(file, "utf8").matchAll(/(?:\bfrom|\bimport\()\s*"(\.[^"]+)"/g)].map(([, path = ""]) => join(dirname(file), path)),
  ]),
);

function roomOf(file: string): string {
  return file.split("/")[1] ?? "";
}

test("every file is in a room of the table, and every room of the table has files", () => {
  expect([...new Set([...imports.keys()].map(roomOf))].toSorted()).toEqual([...roomNames].toSorted());
});

test.each(roomNames)("%s imports what tools/rooms.ts says, and nothing less", (room) => {
  const found = [...imports].filter(([file]) => roomOf(file) === room).flatMap(([, imported]) => imported.map(roomOf));
  const others = [...new Set(found)].filter((other) => other !== room);
  expect(others.toSorted()).toEqual([...rooms[room]].toSorted());
});

test.each(roomNames)("%s imports nothing that is above it in the table", (room) => {
  const lower = roomNames.slice(0, roomNames.indexOf(room));
  for (const other of rooms[room]) expect(lower).toContain(other);
});

test("no file imports itself by a detour, not even by a type or import()", () => {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) return void circles.push([...way.slice(way.indexOf(file)), file].join(" → "));
    if (done.has(file)) return undefined;
    for (const imported of imports.get(file) ?? []) visit(imported, [...way, file]);
    done.add(file);
    return undefined;
  };
  for (const file of imports.keys()) visit(file, []);
  expect(circles).toEqual([]);
});

test("ARCHITECTURE.md draws the rooms as they are: put the received picture there", () => {
  expect(/```mermaid\n([^`]*)```/.exec(readFileSync("ARCHITECTURE.md", "utf8"))?.[1]?.trim()).toBe(roomsPicture());
});
