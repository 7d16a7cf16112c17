import { type Action, conflict } from "../../boot/unit.ts";
import { oneLine } from "../../base/problem.ts";
import { emptyDrive, isEmptyDrive, type Kept } from "../../setupos/empty-drive.ts";
import type { InstallPlan } from "../../setupos/install-plan.ts";
import { hasReached } from "../../setupos/install-record.ts";
import { type Machine, unit } from "../machine.ts";
import { checkHsm } from "./check-hsm.ts";
import { driveText, installationOf, leftTexts, notePhase, onDrives, refuseDrives } from "./installation.ts";

/**
 * Afterwards the drives that the node takes are empty: all that was on them is taken away, whatever nested in what.
 *
 * Its plan is the rehearsal: drive by drive, whether it is taken, why, and what is lost with it. The object that is shown is what is carried
 * out. The stick is never taken, nor a drive with a node, without the token. Before the first drive is touched, the system drive gets the
 * record that an installation has begun, so that a cut installation goes on.
 *
 * A node of the same configuration that is complete is left as it is. A conflict means that something is in the way, or that config.ini asks
 * for a rehearsal.
 */
export const setupDisk = unit({
  name: "setup-disk",
  title: "Empty the drives of the node",
  requires: [checkHsm],
  owns: ["drives of the node"],
  timeout: 3_600_000,
  async plan(machine) {
    const { plan, configIni } = await installationOf(machine);
    refuseDrives(machine, plan);
    if (plan.phase === "complete") {
      machine.note("this node is installed already, with this configuration: nothing is written; pull the stick");
      if (configIni?.config.replace_installed !== undefined)
        machine.note("replace_installed is not used: it replaces only a node of another configuration, or of other images");
      return [];
    }
    if (plan.phase === undefined || plan.phase === "begun") {
      for (const text of leftTexts(plan)) machine.note(text);
      for (const problem of plan.warnings) machine.note(oneLine(problem));
    }
    const actions = await emptyingFrom(machine, plan);
    if (configIni?.config.rehearse !== true) return actions;
    const begun = plan.phase === undefined ? [] : [`an installation was cut here, and would go on: ${plan.phase}`];
    return conflict({
      code: "only-a-rehearsal",
      what: "this is a rehearsal: nothing was changed",
      found: [...begun, ...actions.map(({ description }) => description), ...leftTexts(plan)].join("; "),
      expected: "that this is what you mean",
      todo: "take the line rehearse=true out of config.ini, and start the stick again",
    });
  },
});

async function emptyingFrom(machine: Machine, plan: InstallPlan): Promise<readonly Action[]> {
  if (hasReached(plan.phase, "host-written")) return [];
  // A cut while HostOS is written, or its volumes are made, leaves parts of them: it begins again on empty drives.
  return plan.phase === "emptied" ? emptyingAgain(machine, plan) : emptying(machine, plan);
}

async function emptyingAgain(machine: Machine, plan: InstallPlan): Promise<readonly Action[]> {
  const { host } = machine;
  const actions: Action[] = [];
  for (const { path } of plan.targets) {
    const keeps = keptOn(plan, path);
    if (await isEmptyDrive(host, path, keeps)) continue;
    actions.push(onDrives(machine, plan, `empty ${path} again: an installation was cut`, async () => emptyDrive(host, path, keeps)));
  }
  return actions;
}

/** The record is on the system drive alone. */
function keptOn({ targets }: InstallPlan, path: string): Kept {
  return path === targets[0]?.path ? "the record" : "nothing";
}

function emptying(machine: Machine, plan: InstallPlan): readonly Action[] {
  const taken = plan.drives.filter(({ takenAs }) => takenAs !== undefined);
  return [
    // Also where one was begun: the record may be that of another input, which had come farther.
    notePhase(machine, plan, "begun", "that an installation has begun"),
    ...taken.map((drive) =>
      onDrives(machine, plan, `empty ${driveText(drive)}`, async () =>
        emptyDrive(machine.host, drive.device.path, keptOn(plan, drive.device.path)),
      ),
    ),
    notePhase(machine, plan, "emptied", "that all drives are empty"),
  ];
}
