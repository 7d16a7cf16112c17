import { activate, type Action } from "../../boot/unit.ts";
import { CommandError } from "../../system/command.ts";
import { ProblemError } from "../../base/problem.ts";
import { systemClock } from "../../base/clock.ts";
import { foreignText } from "../../base/foreign-words.ts";
import { clockSources, isSynchronised, keepTime, setClock, waitForTime } from "../../system/time.ts";
import { type Machine, unit } from "../machine.ts";
import { checkNetwork } from "./check-network.ts";
import { checksLeftOut, stickOf } from "./stick.ts";

/**
 * Afterwards the clock is right, and the machine's own clock too, if it has one that can be set. A clock that is before the making of the
 * stick is set to that first: with it no certificate would be valid. Then chrony has a minute to find the time in the network.
 */
export const checkTime = unit({
  name: "check-time",
  title: "Set the clock",
  requires: [checkNetwork],
  timeout: 300_000,
  absent: checksLeftOut,
  async plan(machine) {
    const { host } = machine;
    const built = Number((await host.readText(stickOf(machine).builtAt)) ?? NaN);
    const actions: Action[] = [];
    if (Date.parse(systemClock.date()) / 1000 < built)
      actions.push(activate("set the clock to the time at which the stick was made", async () => setClock(host, built)));
    if (!(await isSynchronised(host)))
      actions.push(
        activate("wait until the clock is that of the network", async () => {
          if (!(await waitForTime(host)))
            throw new ProblemError({
              code: "time-not-found",
              what: "the time cannot be found in the network",
              found: foreignText(await clockSources(host)),
              expected: "a server that answers",
              todo: "ask the data centre whether NTP (UDP, port 123) passes; then start the stick again",
            });
          await keepInMachine(machine);
        }),
      );
    return actions;
  },
});

/** A machine whose own clock is missing or broken can be a node: each system that starts there asks the network again. */
async function keepInMachine({ host, note }: Machine): Promise<void> {
  try {
    await keepTime(host);
  } catch (error) {
    host.signal.throwIfAborted();
    if (!(error instanceof CommandError)) throw error;
    note(`the clock of the machine itself could not be set: ${foreignText(error.problem.found ?? error.message)}`);
  }
}
