import { Problem } from "../base/problem-shape.ts";
import { toProblem } from "../base/problem.ts";
import * as z from "../base/schema.ts";
import { isConflict, type Plan } from "../boot/unit.ts";
import { NotRecordedError } from "./answers.ts";

/** What a unit decided, once: what its plan was, or why it had none. */
export const Decision = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("absent"), why: z.string() }),
  z.object({ kind: z.literal("actions"), actions: z.array(z.string()) }),
  z.object({ kind: z.literal("conflict"), problem: Problem }),
  z.object({ kind: z.literal("error"), problem: Problem }),
]);
export type Decision = z.infer<typeof Decision>;

export function decisionOf(plan: Plan): Decision {
  if (isConflict(plan)) return { kind: "conflict", problem: plan.conflict };
  return { kind: "actions", actions: plan.map(({ description }) => description) };
}

/** @throws NotRecordedError as it is */
export function decisionOfError(error: unknown): Decision {
  if (error instanceof NotRecordedError) throw error;
  return { kind: "error", problem: toProblem(error) };
}
