import { join } from "node:path";
import { type Accelerator, findAccelerator } from "../../lab/accelerator.ts";
import type { DiskAttachment } from "../../lab/qemu-command.ts";
import { upgradedNode, upgradeJudge } from "./boot-upgrade.ts";
import { faultsOf } from "./check-recovery.ts";
import type { Judge } from "./explorer.ts";
import { firstBootInspection, laterBootInspection } from "./inspect-config.ts";
import { upgradeInspection } from "./inspect-upgrade.ts";
import type { Inspection } from "./inspect.ts";
import { openWriteLog, type WriteLog } from "./log-writes.ts";
import { laterBoot, laterBootFolder } from "./record-later-boot.ts";
import { recordedUpgrade, type RecordedUpgrade, upgradeFolder } from "./record-upgrade.ts";
import { crashFolder, firstBoot, type Recording } from "./recording.ts";
import { recovered } from "./recovered.ts";
import { undisturbed } from "./undisturbed.ts";

/** A recording, and how what a cut leaves of it is judged. */
export interface Subject extends Disposable {
  readonly recording: Recording;
  readonly log: WriteLog;
  /** What boots are done on. */
  readonly accelerator: Accelerator;
  /** Where the results of boots are kept. */
  readonly results: string;
  /** Without a boot. @param name of the folder in which it works */
  readonly inspection: (name: string) => Promise<Inspection>;
  /** With one. */
  readonly judge: () => Promise<Judge>;
}

export type SubjectName = "first-boot" | "later-boot" | "upgrade-install" | "upgrade-trial";
type MakeSubject = (say: (line: string) => void, accelerator?: Accelerator) => Promise<Subject>;

/**
 * What the power is cut in. Each makes its recording when there is none.
 *
 * `say` is told of what takes time. `accelerator` is what a node is booted on, where a test does not take what `findAccelerator` finds.
 */
export const subjects: Readonly<Record<SubjectName, MakeSubject>> = {
  "first-boot": async (say, accelerator) => nodeSubject(await firstBoot(say), crashFolder, firstBootInspection, accelerator),
  "later-boot": async (say, accelerator) => nodeSubject(await laterBoot(say), laterBootFolder, laterBootInspection, accelerator),
  "upgrade-install": async (say) => upgradeSubject("install", await recordedUpgrade(say)),
  "upgrade-trial": async (say) => upgradeSubject("trial", await recordedUpgrade(say)),
};
export const allSubjects = Object.keys(subjects) as readonly SubjectName[];
/** Those whose boots need no firmware: a user-mode machine has none. */
export const nodeSubjects: readonly SubjectName[] = ["first-boot", "later-boot"];

/** A node that ends, after a cut, in the state that it has when nothing was cut. */
async function nodeSubject(
  recording: Recording,
  folder: string,
  inspectionOf: typeof firstBootInspection,
  wanted?: Accelerator,
): Promise<Subject> {
  const accelerator = wanted ?? (await findAccelerator());
  const log = openWriteLog(recording.log);
  const boot = async (machine: string, disk: DiskAttachment) => recovered(machine, disk, recording.medium, accelerator);
  // In user mode a disk has another name.
  const known = join(folder, accelerator.kind === "user-mode" ? "undisturbed-user-mode.json" : "undisturbed.json");
  return {
    ...{ recording, log, accelerator, results: join(folder, "results.jsonl"), [Symbol.dispose]: () => log[Symbol.dispose]() },
    inspection: async (name) => inspectionOf(name, recording, log),
    judge: async () => {
      const state = await undisturbed(known, { recording, log }, "last", boot, accelerator.kind);
      return async (machine, disk, { config }) => {
        const after = await boot(machine, disk);
        return { redone: after.redone, faults: faultsOf(config, after, state) };
      };
    },
  };
}

async function upgradeSubject(part: "install" | "trial", upgrade: RecordedUpgrade): Promise<Subject> {
  const accelerator = await findAccelerator();
  const recording = upgrade[part];
  const log = openWriteLog(recording.log);
  const boot = async (machine: string, disk: DiskAttachment) => upgradedNode(machine, disk, upgrade.update);
  return {
    ...{ recording, log, accelerator, results: join(upgradeFolder, `${part}.jsonl`), [Symbol.dispose]: () => log[Symbol.dispose]() },
    // A is what there is to go back to until B is confirmed; from the trial on B runs.
    inspection: async (name) => upgradeInspection(name, upgrade, recording, log, part === "install" ? ["A"] : ["A", "B"]),
    judge: async () => {
      using before = openWriteLog(upgrade.install.log);
      using after = openWriteLog(upgrade.trial.log);
      const [A, B] = [join(upgradeFolder, "undisturbed-A.json"), join(upgradeFolder, "undisturbed-B.json")];
      return upgradeJudge(upgrade.update, {
        A: await undisturbed(A, { recording: upgrade.install, log: before }, "first", boot),
        B: await undisturbed(B, { recording: upgrade.trial, log: after }, "last", boot),
      });
    },
  };
}
