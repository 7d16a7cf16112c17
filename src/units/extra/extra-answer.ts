import { line } from "../../config/boot-config.ts";
import { quoted } from "../../base/quoted.ts";
import * as z from "../../base/schema.ts";
import { foreignText } from "../../base/foreign-words.ts";
import { ProblemError } from "../../base/problem.ts";
import { jsonIn } from "../../base/json.ts";

const id = z
  .string({ error: "a text" })
  .check(z.regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, { error: "lower-case letters, digits and hyphens, at most 64" }));

const perhaps = z.exactOptional(line);
const Conflict = z.strictObject({ what: line, found: perhaps, expected: perhaps, todo: perhaps });

const Action = z.strictObject({
  id,
  description: line,
  effect: z._default(z.enum(["provision", "activate"], { error: "provision or activate" }), "provision"),
});

/** The output of an extra unit that is asked for its plan: exactly one of the three. */
const ExtraAnswer = z
  .strictObject({
    nothing: z.optional(z.literal(true, { error: "true" })),
    actions: z.optional(
      z.array(Action).check(z.minLength(1, { error: "at least one; or nothing: true" }), z.maxLength(64, { error: "at most 64" })),
    ),
    conflict: z.optional(Conflict),
  })
  .check(
    z.refine((answer) => Object.keys(answer).length === 1, { error: "one of nothing, actions and conflict" }),
    z.refine(({ actions = [] }) => new Set(actions.map((action) => action.id)).size === actions.length, {
      error: "ids that differ",
      path: ["actions"],
    }),
  );
export type ExtraAnswer = z.infer<typeof ExtraAnswer>;

/** @param executable its path, for the message. @throws ProblemError for output that is not JSON, or breaks the contract */
export function parseAnswer(stdout: string, executable: string): ExtraAnswer {
  const refuse = (found: string, expected: string): ProblemError =>
    new ProblemError({
      code: "extra-unit-plan-wrong",
      what: "its plan is not usable",
      where: { file: executable },
      found,
      expected,
      todo: "repair the unit; the contract is in docs/extra-units.md",
    });
  const answer = foreignText(stdout);
  const json = jsonIn(answer);
  if (json === undefined) throw refuse(answer.trim() === "" ? "no output" : quoted(answer.trim()), "a JSON object, and nothing else");
  const { data, error } = ExtraAnswer.safeParse(json);
  if (data !== undefined) return data;
  const [issue] = error.issues;
  const name = issue?.path.join(".") ?? "";
  const keys = issue?.code === "unrecognized_keys" ? `unknown ${issue.keys.map((key) => quoted(key)).join(", ")}` : undefined;
  throw refuse(
    [name, keys ?? quoted(JSON.stringify(valueAt(json, issue?.path ?? [])) ?? "nothing")].filter((part) => part !== "").join(": "),
    keys === undefined ? (issue?.message ?? "") : "no other keys than those of the contract",
  );
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (below, key) =>
      typeof below === "object" && below !== null
        ? (Object.entries(below).find(([name]) => name === String(key))?.[1] as unknown)
        : undefined,
    value,
  );
}
