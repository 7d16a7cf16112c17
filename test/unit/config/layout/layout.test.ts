import { join } from "node:path";
import { expect, test } from "vitest";
import { configFiles, guestosLayout, ownFiles, runFiles, textfileIn } from "../../../../src/config/layout/layout.ts";

/** Every path in it, with the names under which it is found. */
function pathsOf(value: unknown, name = ""): readonly (readonly [string, string])[] {
  if (typeof value === "string") return value.startsWith("/") ? [[name, value]] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => pathsOf(item, `${name}.${key}`));
}

test("no two things of the program's own are in one place", () => {
  for (const files of [guestosLayout.config, guestosLayout.runFiles]) {
    const paths = pathsOf(files).map(([, path]) => path);
    expect(paths.length).toBeGreaterThan(9);
    expect(new Set(paths).size).toBe(paths.length);
  }
});

test("what is made for a folder is in that folder, and moves with it as a whole", () => {
  const made = (folder: string) =>
    [configFiles(folder), runFiles(folder), ownFiles(folder), textfileIn(folder)].flatMap((files) => pathsOf(files));
  expect(made("/a/b")).toEqual(made("/c").map(([name, path]) => [name, join("/a/b", path.slice("/c".length))]));
});

test("the node's own files are below the folders that its units mount and make", () => {
  const { config, mountPoints, run, runFiles: own, textfile, collector, etc, operatorKey } = guestosLayout;
  for (const [name, path] of pathsOf(config)) expect(path, name).toMatch(new RegExp(`^${mountPoints.config}/`));
  for (const [name, path] of pathsOf(own)) expect(path, name).toMatch(new RegExp(`^${run}/`));
  expect(textfile.startsWith(`${collector}/`)).toBe(true);
  expect([etc.ownConfig, etc.ownUnits].every((path) => path.startsWith(`${etc.own}/`))).toBe(true);
  expect(operatorKey.startsWith(`${mountPoints.data}/`)).toBe(true);
});
