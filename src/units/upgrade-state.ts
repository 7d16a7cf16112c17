import { type Action, provision } from "../boot/unit.ts";
import { carryOut, writeText } from "../upgrade/carry-out.ts";
import { settleAll, type Write } from "../upgrade/decide.ts";
import { look } from "../upgrade/situation.ts";
import { withUpgradeLock } from "../upgrade/upgrade-lock.ts";
import { type Machine, unit } from "./machine.ts";
import { mountBoot } from "./mount-boot.ts";

/**
 * Afterwards grubenv and the slots' records say what this boot showed: a slot that was tried and went back is marked as failed and
 * its image is not installed again, the running one is proven when it is stable, and a block that GRUB could not read or
 * save is as it should be.
 *
 * It needs GRUB's partition and the config partition alone, and comes first after them: whoever upgrades later in this boot
 * must find a true state. There is no conflict: what cannot be read is written anew from what runs, which is the truth.
 *
 * The boot goes on without it: the next one tries again, and every upgrade command does the same before anything else.
 */
export const upgradeState = unit({
  name: "upgrade-state",
  title: "Keep the state of the two systems true",
  requires: [mountBoot],
  owns: ["/boot/grub/grubenv", "/boot/config/slots"],
  onFailure: "degrade",
  async plan(machine) {
    const { situation, grubenv } = await look(machine.host, machine.layout);
    return settleAll(situation).map((write) => settling(machine, write, grubenv.faults));
  },
});

/** Seconds for a commit or a confirmation that is under way. */
const PATIENCE = 30;

function settling({ host, layout }: Machine, write: Write, faults: readonly string[]): Action {
  const why = write.kind === "block" && faults.length > 0 ? ` (grubenv: ${faults.join("; ")})` : "";
  return provision(`${writeText(write)}${why}`, async () =>
    withUpgradeLock(host, layout, { command: "guestos-boot run", wait: PATIENCE }, async () => {
      const seen = await look(host, layout);
      // An upgrade command that came first has done it already, and may have gone on from there.
      if (settleAll(seen.situation).some((wanted) => writeText(wanted) === writeText(write))) await carryOut(host, layout, seen, write);
    }),
  );
}
