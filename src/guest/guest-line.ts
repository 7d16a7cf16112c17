import { oneLine } from "../base/problem.ts";
import type { GuestState } from "./guest-state.ts";

/** How the guest is, as a line of the journal. */
export function guestLine({ phase, slot, onTrial, boot, failures, nextStart, problem }: GuestState): string {
  return [
    `the guest: ${phase}`,
    ...(slot === undefined ? [] : [`slot ${slot}${onTrial ? " on trial" : ""}`]),
    ...(boot === undefined ? [] : [`boot ${boot}`]),
    ...(failures === 0 ? [] : [`${failures} failures in a row`]),
    ...(nextStart === undefined ? [] : [`next start ${nextStart}`]),
    ...(problem === undefined ? [] : [`[${problem.code}] ${oneLine(problem)}`]),
  ].join(", ");
}
