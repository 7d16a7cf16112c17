import { type Clock, pause } from "../base/clock.ts";
import { oneLine, type Problem, ProblemError, toProblem } from "../base/problem.ts";
import type { Hypervisor } from "../system/hypervisor/hypervisor.ts";
import type { Seen } from "./decide.ts";
import { GUEST } from "./description.ts";

/** What is wrong where a machine does not end. It is said of the guest until it is started again. */
export const NOT_STOPPED = { code: "guest-not-stopped", what: "the guest's machine has not ended" } as const satisfies Problem;

/** Milliseconds between two looks at the machine. */
const REST = 200;
/** Milliseconds after which the power button is pressed again: a guest that just boots does not feel it. */
const PRESS_AGAIN = 10_000;

/** With what a machine is stopped. */
export interface Stopping {
  readonly hypervisor: Hypervisor;
  readonly clock: Clock;
  /** Milliseconds from the power button to the end by force. */
  readonly grace: number;
  readonly look: () => Promise<Seen>;
}

/** The power button, again and again; then an end by force. Waits for the process, and not for an answer. @throws ProblemError */
export async function stopMachine({ hypervisor, clock, grace, look }: Stopping): Promise<void> {
  const until = clock.now() + grace / 1000;
  for (let pressed = -Infinity; clock.now() < until;) {
    const seen = await look();
    if (seen.kind === "machine" && seen.state === "absent") return;
    if (seen.kind === "machine" && seen.state !== "running") break;
    if ((clock.now() - pressed) * 1000 >= PRESS_AGAIN) {
      // One that cannot be pressed now is pressed again; at the end, force needs no button.
      await hypervisor.shutdown(GUEST.name).catch(() => undefined);
      pressed = clock.now();
    }
    await pause(clock, REST);
  }
  const problem = await hypervisor.destroy(GUEST.name).then(() => undefined, toProblem);
  const seen = await look();
  if (seen.kind === "machine" && seen.state === "absent") return;
  const why = problem ?? (seen.kind === "unknown" ? seen.problem : undefined);
  const state = seen.kind === "unknown" ? "unknown" : seen.state;
  throw new ProblemError({ ...NOT_STOPPED, found: why === undefined ? state : `${state}: ${oneLine(why)}`, expected: "absent" });
}
