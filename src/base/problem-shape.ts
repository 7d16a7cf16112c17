import { z } from "./small-schema.ts";

/** A `Problem` in a file that this program wrote. */
export const ProblemShape = z.object({
  /** Records of versions without codes have none. */
  code: z._default(z.string(), "code-not-recorded"),
  what: z.string(),
  where: z.exactOptional(z.object({ file: z.string(), line: z.exactOptional(z.number()), column: z.exactOptional(z.number()) })),
  found: z.exactOptional(z.string()),
  expected: z.exactOptional(z.string()),
  todo: z.exactOptional(z.string()),
});
