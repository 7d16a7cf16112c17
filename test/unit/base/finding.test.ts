import { expect, test } from "vitest";
import { type Finding, refuseFindings } from "../../../src/base/finding.ts";
import { problemOf } from "../../support/problem-of.ts";

const mistake = (line: number): Finding => ({
  ...{ line, column: 1, code: "unknown-key", what: "there is no such key" },
  ...{ found: "hostnam", expected: "perhaps hostname" },
});

test("one mistake keeps its code, several have that of a file with several", async () => {
  expect(await problemOf(async () => refuseFindings("/x", [mistake(1)], { rest: "the rest was used" }))).toMatchObject({
    code: "unknown-key",
    what: "there is no such key; the rest was used",
  });
  expect(await problemOf(async () => refuseFindings("/x", [mistake(2), mistake(1)]))).toMatchObject({
    code: "several-mistakes",
    where: { file: "/x", line: 1 },
  });
});
