import { exitCodes, type ExitName } from "../run/exit-codes.ts";

export interface StopSwitch {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** The exit of a program that was stopped. */
  readonly exit: () => ExitName;
}

/** Milliseconds. The promise is 5 s. Work that has not ended by then (a disk that hangs) is left behind. */
const LAST_MOMENT = 4_800;

/**
 * Does work that a signal stops.
 *
 * @param work an error of it counts as the stop's own, once there was a signal
 */
export async function untilStopped(work: (stop: StopSwitch) => Promise<ExitName>): Promise<ExitName> {
  const stop = stopOnSignals();
  try {
    return await work(stop);
  } catch (error) {
    if (stop.signal.aborted) return stop.exit();
    throw error;
  }
}

/**
 * Turns the signals that tell a program to end into one AbortSignal, for the rest of the process's life. SIGHUP is one of them: it comes
 * when an operator's ssh connection breaks.
 *
 * @param within milliseconds that its work has to end, for one that promises more than 5 s
 */
export function stopOnSignals(within = LAST_MOMENT): StopSwitch {
  const controller = new AbortController();
  let exit: ExitName = "terminated";
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) return;
      exit = name === "SIGINT" ? "interrupted" : "terminated";
      setTimeout(() => process.exit(exitCodes[exit].code), within).unref();
      controller.abort();
    });
  }
  return { signal: controller.signal, exit: () => exit };
}
