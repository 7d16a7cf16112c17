import * as z from "./schema.ts";

export const Place = z.object({ file: z.string(), line: z.exactOptional(z.number()), column: z.exactOptional(z.number()) });
export type Place = z.infer<typeof Place>;

/**
 * The one shape of every failure that can reach a person.
 *
 * An operator reads it on a serial console at 3 a.m. So it answers in this order: the event and its object, the place (file, line, column),
 * what was found, what was expected, what to do. Nothing in it may be a secret.
 */
export const Problem = z.object({
  /** One word for scripts and fleets, the same in every version. */
  code: z.string().check(z.describe("which problem it is: docs/codes.md")),
  /** What happened, and to what: "cannot mount /dev/vda6 at /var". No full stop, no secret. */
  what: z.string(),
  /** The place in a file that a person can open. Line and column count from 1. */
  where: z.exactOptional(Place),
  /** What was found: a tool's last words, a bad value, a foreign signature. */
  found: z.exactOptional(z.string()),
  /** What would have been right. */
  expected: z.exactOptional(z.string()),
  /** What the operator can do about it. */
  todo: z.exactOptional(z.string()),
});
export type Problem = z.infer<typeof Problem>;

/** In a file that this program wrote. Files of versions without codes have none. */
export const RecordedProblem = z.extend(Problem, { code: z._default(z.string(), "code-not-recorded") });
