import * as z from "../base/schema.ts";

/** How a tool run ended: exactly one of these. */
export const Ending = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("exited"), status: z.number() }),
  z.object({ kind: z.literal("signalled"), signal: z.string() }),
  z.object({ kind: z.literal("timed-out"), after: z.number() }),
  z.object({ kind: z.literal("cancelled") }),
  z.object({ kind: z.literal("not-found") }),
  z.object({ kind: z.literal("not-started"), reason: z.string() }),
]);
export type Ending = z.infer<typeof Ending>;
