import { ProblemError } from "../base/problem.ts";
import * as z from "../base/schema.ts";
import type { Access } from "../boot/races.ts";
import type { Host } from "../system/host.ts";
import { Answer } from "./answers.ts";
import { Decision } from "./decision.ts";
import type { ObservedRun } from "./observation.ts";
import type { Told } from "./recorder.ts";

const Line = z.union([
  z.object({ run: z.object({ version: z.string(), profile: z.string(), configuration: z.array(z.string()) }) }),
  z.object({
    unit: z.string(),
    kind: z.enum(["read", "list", "write", "make"]),
    path: z.string(),
    place: z.exactOptional(z.string()),
  }),
  z.object({ unit: z.string(), plan: z.number(), call: z.string(), args: z.array(z.unknown()), answer: Answer }),
  z.object({ unit: z.string(), plan: z.number(), beyond: z.string() }),
  z.object({ unit: z.string(), plan: z.number(), decision: Decision }),
]);

/** What was observed of a run. */
export interface Observed {
  readonly run: ObservedRun | undefined;
  readonly accesses: readonly Access[];
  readonly told: readonly Told[];
}

/** Bytes: more than `observation` writes. */
const LARGEST = 64 * 1024 * 1024;

/** Reads what `observation` wrote, here or on another machine. @throws ProblemError where it is no such file */
export async function readObservation(host: Host, path: string): Promise<Observed> {
  const refuse = (found: string, line?: number): ProblemError =>
    new ProblemError({
      code: "not-an-observation",
      what: `${path} is not what a run has observed`,
      found,
      expected: "lines that a run with GUESTOS_OBSERVE=1 wrote to observed.jsonl",
      where: { file: path, ...(line === undefined ? {} : { line }) },
    });
  const facts = await host.stat(path);
  // Another kind of file may have no end, or no beginning.
  if (facts !== undefined && facts.kind !== "file") throw refuse(`no file: ${facts.kind}`);
  if (facts !== undefined && facts.size > LARGEST) throw refuse(`${facts.size} bytes, more than ${LARGEST}`);
  const text = await host.readText(path);
  if (text === undefined) throw refuse("no such file");
  const accesses: Access[] = [];
  const told: Told[] = [];
  let run: ObservedRun | undefined;
  // A file may have several runs, each of which counts the plans of a unit from 1: they are counted on.
  let before = 0;
  let highest = 0;
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "") continue;
    const parsed = Line.safeParse(jsonOf(line));
    if (!parsed.success) throw refuse("something else", index + 1);
    if ("run" in parsed.data) {
      run = parsed.data.run;
      before = highest;
    } else if ("kind" in parsed.data) accesses.push(parsed.data);
    else {
      const plan = before + parsed.data.plan;
      highest = Math.max(highest, plan);
      told.push({ ...parsed.data, plan });
    }
  }
  return { run, accesses, told };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
