import { join } from "node:path";
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
  /** Where the results of boots are kept. */
  readonly results: string;
  /** Without a boot. @param name of the folder in which it works */
  readonly inspection: (name: string) => Promise<Inspection>;
  /** With one. */
  readonly judge: () => Promise<Judge>;
}

/** What the power is cut in. Each makes its recording when there is none. @param say told of what takes time */
export const subjects = {
  "first-boot": async (say) => {
    const recording = await firstBoot(say);
    return nodeSubject(recording, crashFolder, firstBootInspection);
  },
  "later-boot": async (say) => {
    const recording = await laterBoot(say);
    return nodeSubject(recording, laterBootFolder, laterBootInspection);
  },
  "upgrade-install": async (say) => upgradeSubject("install", await recordedUpgrade(say)),
  "upgrade-trial": async (say) => upgradeSubject("trial", await recordedUpgrade(say)),
} satisfies Readonly<Record<string, (say: (line: string) => void) => Promise<Subject>>>;
export type SubjectName = keyof typeof subjects;

/** A node that ends, after a cut, in the state that it has when nothing was cut. */
function nodeSubject(recording: Recording, folder: string, inspectionOf: typeof firstBootInspection): Subject {
  const log = openWriteLog(recording.log);
  const boot = async (machine: string, disk: DiskAttachment) => recovered(machine, disk, recording.medium);
  return {
    ...{ recording, log, results: join(folder, "results.jsonl"), [Symbol.dispose]: () => log[Symbol.dispose]() },
    inspection: async (name) => inspectionOf(name, recording, log),
    judge: async () => {
      const wanted = await undisturbed(join(folder, "undisturbed.json"), { recording, log }, "last", boot);
      return async (machine, disk, { config }) => {
        const after = await boot(machine, disk);
        return { redone: after.redone, faults: faultsOf(config, after, wanted) };
      };
    },
  };
}

function upgradeSubject(part: "install" | "trial", upgrade: RecordedUpgrade): Subject {
  const recording = upgrade[part];
  const log = openWriteLog(recording.log);
  const boot = async (machine: string, disk: DiskAttachment) => upgradedNode(machine, disk, upgrade.update);
  return {
    ...{ recording, log, results: join(upgradeFolder, `${part}.jsonl`), [Symbol.dispose]: () => log[Symbol.dispose]() },
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
