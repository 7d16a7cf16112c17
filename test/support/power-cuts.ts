import { expect } from "vitest";
import type { GuestUnit } from "../../src/units/machine.ts";
import { atEveryEffect } from "./interrupting-host.ts";
import type { NamespaceMachine } from "./namespace-machine.ts";
import { runUnit } from "./run-unit.ts";

/**
 * Cuts the power before every single effect of a unit, and expects that the next run finishes the work: once on the
 * machine as it was left (the program was killed), once after a reboot.
 *
 * @param whole checks that a finished machine is whole
 * @returns how many cuts there were
 */
export async function surviveEveryCut(
  unit: GuestUnit,
  prepare: () => NamespaceMachine,
  whole: (machine: NamespaceMachine) => Promise<void> | void,
): Promise<number> {
  let cuts = 0;
  for (const reboot of [false, true]) {
    cuts = await atEveryEffect(
      async () => prepare(),
      async (machine, interrupt) => runUnit(unit, machine.over(interrupt(machine.host))),
      async (machine, n) => {
        if (reboot) machine.reboot();
        await runUnit(unit, machine);
        expect(await runUnit(unit, machine), `nothing is left to do after the cut at effect ${n}`).toEqual([]);
        await whole(machine);
      },
    );
  }
  return cuts;
}
