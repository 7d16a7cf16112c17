import { globSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { LONGEST } from "../../../tools/longest-first.ts";

test("every file of whole boots has its place: put a new one into tools/longest-first.ts, by how long it takes", () => {
  expect(LONGEST.toSorted()).toEqual(
    globSync("test/vm/*.test.ts")
      .map((file) => basename(file))
      .toSorted(),
  );
});
