import { z } from "../base/small-schema.ts";
import { foreignWords } from "../base/foreign-words.ts";
import { ProblemError } from "../base/problem.ts";
import type { MonitorState } from "./monitor-state.ts";
import { ProblemShape } from "../boot/record/problem-shape.ts";

/** @param file its name, for messages. @throws ProblemError for anything that the monitor cannot have written */
export function parseMonitorState(text: string, file: string): MonitorState {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw damaged(file, foreignWords(error));
  }
  const { data, error } = State.safeParse(json);
  if (data !== undefined) return data;
  throw damaged(file, error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
}

function damaged(file: string, found: string): ProblemError {
  return new ProblemError({
    what: "the state of the monitor is damaged",
    where: { file },
    found,
    todo: "systemctl restart guestos-monitor.service",
  });
}

const Texts = z.array(z.string());

const State = z.object({
  version: z.literal(1),
  pid: z.number(),
  since: z.number(),
  time: z.number(),
  units: z.array(
    z.object({
      name: z.string(),
      drift: Texts,
      problem: z.exactOptional(ProblemShape),
      mends: z.number(),
      retries: z.number(),
      lookedAt: z.exactOptional(z.number()),
      mendedAt: z.exactOptional(z.number()),
    }),
  ),
  rulesetLoaded: z.exactOptional(z.number()),
});
