import { expect, test } from "vitest";
import { parseAnswer } from "../../../../src/units/extra/extra-answer.ts";
import { problemOf } from "../../../support/problem-of.ts";

test.each([
  ['{"nothing":true}', { nothing: true }],
  [' {"nothing": true}\n', { nothing: true }],
  [
    '{"actions":[{"id":"one","description":"do it"},{"id":"two-2","description":"…","effect":"activate"}]}',
    {
      actions: [
        { id: "one", description: "do it", effect: "provision" },
        { id: "two-2", description: "…", effect: "activate" },
      ],
    },
  ],
  ['{"conflict":{"what":"in the way","found":"a"}}', { conflict: { what: "in the way", found: "a" } }],
])("%s is an answer", (text, expected) => {
  expect(parseAnswer(text, "/x")).toEqual(expected);
});

const action = (facts: object): string => JSON.stringify({ actions: [{ id: "one", description: "do it", ...facts }] });

test.each([
  ["", "no output", "a JSON object"],
  ["done\n", '"done"', "a JSON object"],
  ['{"nothing":true}{"nothing":true}', /nothing/, "a JSON object"],
  ["null", '"null"', "Invalid input"],
  ["[]", '"[]"', "Invalid input"],
  ["{}", '"{}"', "one of nothing, actions and conflict"],
  ['{"nothing":false}', 'nothing: "false"', "true"],
  ['{"nothing":true,"conflict":{"what":"x"}}', /nothing/, "one of nothing, actions and conflict"],
  ['{"nothing":true,"note":"x"}', 'unknown "note"', "no other keys"],
  ['{"actions":[]}', 'actions: "[]"', "at least one"],
  ['{"actions":{}}', 'actions: "{}"', "Invalid input"],
  ['{"actions":[{"id":"one"}]}', 'actions.0.description: "nothing"', "one line of text"],
  [action({ id: "Bad Id" }), /actions\.0\.id: "\\"Bad Id\\""/, "lower-case letters"],
  [action({ id: "-x" }), /actions\.0\.id/, "lower-case letters"],
  [action({ description: "a\u001b[2Jb" }), /actions\.0\.description/, "one line of text"],
  [action({ description: "a\nb" }), /actions\.0\.description/, "one line of text"],
  [action({ description: "x".repeat(201) }), /actions\.0\.description/, "one line of text"],
  [action({ effect: "maybe" }), 'actions.0.effect: "\\"maybe\\""', "provision or activate"],
  [action({ run: "rm" }), 'actions.0: unknown "run"', "no other keys"],
  [JSON.stringify({ actions: [1, 2].map(() => ({ id: "one", description: "do it" })) }), /^actions/, "ids that differ"],
  [JSON.stringify({ actions: Array.from({ length: 65 }, (_, id) => ({ id: `a${id}`, description: "x" })) }), /^actions/, "at most 64"],
])("%j is none", async (text, found, expected) => {
  const problem = await problemOf(() => parseAnswer(text, "/x"));
  expect(problem).toMatchObject({ what: "its plan is not usable", where: { file: "/x" } });
  expect(problem.found).toMatch(typeof found === "string" ? new RegExp(`^${found.replaceAll(/[.\\{}[\]]/g, "\\$&")}$`) : found);
  expect(problem.expected).toContain(expected);
});
