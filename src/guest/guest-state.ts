import { Problem } from "../base/problem-shape.ts";
import * as z from "../base/schema.ts";
import { readState, writeState } from "../config/state/state-file.ts";
import type { Host } from "../system/host.ts";
import type { GuestPlaces } from "./places.ts";

/** What is known of a guest's boot. `silent`: not a word of it for five minutes. */
export const BOOTS = ["pending", "success", "failure", "silent"] as const;

/**
 * The supervisor's account of the guest: a file on a tmpfs, replaced as a whole with each change.
 *
 *   starting     its slot is chosen, and its machine started
 *   running      its machine runs; `boot` says whether its system came up
 *   paused       its machine is held: by a person, or by a disk that is full
 *   waiting      it ended, or could not be started; `nextStart` says when it is started again
 *   crash-loop   the same, five times in a row or more
 *   unknown      it cannot be inspected: nothing is started
 *   stopping     the service is told to end
 *   stopped      it has ended, and is not started again
 */
export const GuestState = z.object({
  phase: z.enum(["starting", "running", "paused", "waiting", "crash-loop", "unknown", "stopping", "stopped"]),
  /** Since when, ISO 8601. */
  since: z.string(),
  slot: z.exactOptional(z.enum(["A", "B"])),
  onTrial: z.boolean(),
  /** Whether its memory is in huge pages. Absent until it was started. */
  hugePages: z.exactOptional(z.boolean()),
  boot: z.exactOptional(z.enum(BOOTS)),
  /** How often in a row it ended early, or could not be started. */
  failures: z.number(),
  nextStart: z.exactOptional(z.string()),
  problem: z.exactOptional(Problem),
  /** Of its serial port, where it ended. */
  lastLines: z.exactOptional(z.array(z.string())),
});
export type GuestState = z.infer<typeof GuestState>;

/** @returns `undefined` when no supervisor has run since the machine started, or its account cannot be read */
export async function readGuestState(host: Host, { state }: GuestPlaces): Promise<GuestState | undefined> {
  return readState(host, state, GuestState);
}

export async function writeGuestState(host: Host, { state: file }: GuestPlaces, state: GuestState): Promise<void> {
  await writeState(host, file, state);
}
