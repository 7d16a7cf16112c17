import * as z from "../../base/schema.ts";
import { foreignWords } from "../../base/foreign-words.ts";
import type { Host } from "../../system/host.ts";
import { ProblemError } from "../../base/problem.ts";

/**
 * A durable statement that an object is about to be made, or has been made, with the identity that was chosen for it beforehand. It is on
 * the config partition. Together with a probe it decides what may be formatted; see src/units/disks/verdict.ts.
 */
const Intent = z.strictObject({
  version: z.literal(1),
  /** The object, for people: "LUKS on the partition store". */
  about: z.string(),
  /** UUID of the object: the LUKS header, the physical volume, the file system. */
  uuid: z.string().check(z.minLength(1)),
  /** UUID of the file system directly inside, where both are made as one. */
  inner: z.optional(z.string().check(z.minLength(1))),
  phase: z.enum(["begun", "complete"]),
});
export type Intent = z.infer<typeof Intent>;

/**
 * Reads the intent of that name.
 *
 * @returns `undefined` when none was ever written
 * @throws ProblemError when one exists that cannot be read: then nothing may be formatted
 */
export async function readIntent(host: Host, folder: string, name: string): Promise<Intent | undefined> {
  const file = intentFile(folder, name);
  const text = await host.readText(file);
  if (text === undefined) return undefined;
  const damaged = (found: string): ProblemError =>
    new ProblemError({
      code: "intent-unreadable",
      what: `the intent of ${name} cannot be read, so its device must not be changed`,
      where: { file },
      found,
      expected: "the file as guestos-boot wrote it",
      todo: "restore the file from a backup of the config partition; docs/operator.md, 'Intents', says what each value means",
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged(text === "" ? "an empty file" : foreignWords(error));
  }
  const parsed = Intent.safeParse(value);
  if (!parsed.success) throw damaged(z.prettifyError(parsed.error));
  return parsed.data;
}

/** Writes the intent durably: when this returns, it survives a power cut. */
export async function writeIntent(host: Host, folder: string, name: string, intent: Intent): Promise<void> {
  await host.makeFolder(folder, { mode: 0o755 });
  await host.writeFile(intentFile(folder, name), `${JSON.stringify(intent, undefined, 2)}\n`, { mode: 0o644 });
}

/** Removes the intent durably, where its object was wiped on purpose. No error when there is none. */
export async function removeIntent(host: Host, folder: string, name: string): Promise<void> {
  await host.remove(intentFile(folder, name));
}

function intentFile(folder: string, name: string): string {
  return `${folder}/${name}.json`;
}
