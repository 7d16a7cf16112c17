import { z } from "./small-schema.ts";

/** A `Problem` in a file of ours. */
export const ProblemShape = z.object({
  /** Records of versions that knew no codes have none. */
  code: z._default(z.string(), "code-not-recorded"),
  what: z.string(),
  where: z.exactOptional(z.object({ file: z.string(), line: z.exactOptional(z.number()), column: z.exactOptional(z.number()) })),
  found: z.exactOptional(z.string()),
  expected: z.exactOptional(z.string()),
  todo: z.exactOptional(z.string()),
});
