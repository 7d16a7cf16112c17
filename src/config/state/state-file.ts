import { foreignWords } from "../../base/foreign-words.ts";
import { jsonIn } from "../../base/json.ts";
import { type Problem, ProblemError } from "../../base/problem.ts";
import * as z from "../../base/schema.ts";
import type { Host } from "../../system/host.ts";

/** Reads a JSON file of this program's own state. @returns `undefined` when there is none, or when it does not fit the schema */
export async function readState<T>(host: Pick<Host, "readText">, file: string, schema: z.ZodMiniType<T>): Promise<T | undefined> {
  return schema.safeParse(jsonIn((await host.readText(file)) ?? "")).data;
}

/** The same where a file that cannot be read must not count as no file. @throws ProblemError in those words, with what is wrong */
export async function readStateStrictly<T>(host: Host, file: string, schema: z.ZodMiniType<T>, words: Problem): Promise<T | undefined> {
  const text = await host.readText(file);
  if (text === undefined) return undefined;
  const damaged = (found: string): ProblemError =>
    new ProblemError({ ...words, where: { file }, found, expected: "the file as guestos-boot wrote it" });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged(text === "" ? "an empty file" : foreignWords(error));
  }
  const { data, error } = schema.safeParse(value);
  if (data === undefined) throw damaged(error === undefined ? "no value" : z.prettifyError(error));
  return data;
}

/** Durable when it returns. The folder must exist. */
export async function writeState(host: Host, file: string, value: object): Promise<void> {
  await host.writeFile(file, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o644 });
}
