import { ProblemError } from "../base/problem.ts";
import * as z from "../base/schema.ts";
import type { Access } from "../boot/races.ts";
import type { Host } from "../system/host.ts";

const Line = z.object({
  unit: z.string(),
  kind: z.enum(["read", "list", "write", "make"]),
  path: z.string(),
  place: z.optional(z.string()),
});

/** Bytes: twenty thousand lines, with the longest path that Linux has in some of them. */
const LARGEST = 16 * 1024 * 1024;

/** Reads what `observation` wrote, here or on another machine. @throws ProblemError where it is no such file */
export async function readObservation(host: Host, path: string): Promise<readonly Access[]> {
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
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line, index) => {
    const parsed = Line.safeParse(jsonOf(line));
    if (!parsed.success) throw refuse("something else", index + 1);
    const { place, ...access } = parsed.data;
    return { ...access, ...(place === undefined ? {} : { place }) };
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
