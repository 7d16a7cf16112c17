import * as z from "../../base/schema.ts";
import type { Host } from "../../system/host.ts";
import type { Layout } from "../layout/layout.ts";
import { readState } from "./state-file.ts";

/**
 * The last loaded ruleset, and its file. The kernel shows rules in its own form and not as they were written, so the file cannot be
 * compared with them. But rules that were changed since then no longer have the same digest.
 */
const LoadedRuleset = z.object({
  file: z.string(),
  sha256: z.string(),
  ruleset: z.string(),
  /** Seconds since the epoch. */
  loaded: z.optional(z.number()),
});
export type LoadedRuleset = z.infer<typeof LoadedRuleset>;

/**
 * `undefined` when nothing was loaded, or not by this program, or the record is damaged. Then the ruleset is loaded again, which does no
 * harm.
 */
export async function readLoadedRuleset(
  host: Pick<Host, "readText">,
  layout: Pick<Layout, "runFiles">,
): Promise<LoadedRuleset | undefined> {
  return readState(host, layout.runFiles.loadedRuleset, LoadedRuleset);
}
