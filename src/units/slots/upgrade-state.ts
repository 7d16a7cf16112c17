import { type Action, activate, provision } from "../../boot/unit.ts";
import { carryOut, writeText } from "../../upgrade/apply-writes.ts";
import { settleAll, type Write, written } from "../../upgrade/decide.ts";
import { inspect } from "../../upgrade/situation.ts";
import { missingTrialMark, setTrialMark, type TrialMark } from "../../upgrade/trial-mark.ts";
import { withUpgradeLock } from "../../upgrade/upgrade-lock.ts";
import { type Machine, unit } from "../machine.ts";
import { mountBoot } from "../disks/mount-boot.ts";
import { besideNode, vmType } from "../injection/vm-type.ts";

/**
 * Afterwards grubenv and the slots' records agree with this boot. A slot that was tried and went back is marked as failed, and its image is
 * not installed again. The running slot is marked as proven if it is stable. A grubenv block that GRUB could not read or save is repaired.
 * A mark in /run says whether this boot is a trial, for the service that ends a trial (guestos-go-back.service).
 *
 * It requires GRUB's partition and the config partition alone, and comes right after them: an upgrade later in this boot must find a true
 * state. There is no conflict: a state that cannot be read is written again from the running system, which decides.
 *
 * If it fails, the boot goes on: the next boot tries again, and every upgrade command does the same first.
 */
export const upgradeState = unit({
  name: "upgrade-state",
  title: "Update the state of the two systems",
  absent: besideNode,
  requires: [mountBoot, vmType],
  owns: ["/boot/grub/grubenv", "/boot/config/slots"],
  onFailure: "degrade",
  async plan(machine) {
    const { host, layout } = machine;
    const { situation, grubenv } = await inspect(host, layout);
    const writes = settleAll(situation);
    const mark = await missingTrialMark(host, layout, writes.reduce(written, situation));
    return [...writes.map((write) => settling(machine, write, grubenv.faults)), ...(mark === undefined ? [] : [marking(machine, mark)])];
  },
});

/** Seconds to wait for a commit or a confirmation that is under way. */
const TIME_LIMIT = 30;

function settling({ host, layout }: Machine, write: Write, faults: readonly string[]): Action {
  const why = write.kind === "block" && faults.length > 0 ? ` (grubenv: ${faults.join("; ")})` : "";
  return provision(`${writeText(write)}${why}`, async () =>
    withUpgradeLock(host, layout, { command: "guestos-boot run", wait: TIME_LIMIT }, async () => {
      const seen = await inspect(host, layout);
      // An upgrade command that held the lock before may have done it already, and changed the state further.
      if (settleAll(seen.situation).some((wanted) => writeText(wanted) === writeText(write))) await carryOut(host, layout, seen, write);
    }),
  );
}

const MARKS: Readonly<Record<TrialMark, string>> = {
  "on-trial": "note that this boot is a trial: the machine restarts unless it is confirmed in time",
  "not-on-trial": "note that this boot is no trial",
};

function marking({ host, layout }: Machine, mark: TrialMark): Action {
  return activate(MARKS[mark], async () =>
    withUpgradeLock(host, layout, { command: "guestos-boot run", wait: TIME_LIMIT }, async () => {
      // The boot may have been confirmed meanwhile.
      const wanted = await missingTrialMark(host, layout, (await inspect(host, layout)).situation);
      if (wanted !== undefined) await setTrialMark(host, layout, wanted);
    }),
  );
}
