import * as z from "../../base/schema.ts";
import type { Host } from "../../system/host.ts";
import { readStateStrictly, writeState } from "./state-file.ts";

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
  return readStateStrictly(host, intentFile(folder, name), Intent, {
    code: "intent-unreadable",
    what: `the intent of ${name} cannot be read, so its device must not be changed`,
    todo: "restore the file from a backup of the config partition; docs/operator.md, 'Intents', says what each value means",
  });
}

/** Writes the intent durably: when this returns, it survives a power cut. */
export async function writeIntent(host: Host, folder: string, name: string, intent: Intent): Promise<void> {
  await host.makeFolder(folder, { mode: 0o755 });
  await writeState(host, intentFile(folder, name), intent);
}

/** Removes the intent durably, where its object was wiped on purpose. No error when there is none. */
export async function removeIntent(host: Host, folder: string, name: string): Promise<void> {
  await host.remove(intentFile(folder, name));
}

function intentFile(folder: string, name: string): string {
  return `${folder}/${name}.json`;
}
