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
import { recovered, type Recovered } from "./recovered.ts";
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
  "upgrade-install": async (say, accelerator) => upgradeSubject("install", await recordedUpgrade(say), accelerator),
  "upgrade-trial": async (say, accelerator) => upgradeSubject("trial", await recordedUpgrade(say), accelerator),
};

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
  return {
    ...{ recording, log, accelerator, results: join(folder, "results.jsonl"), [Symbol.dispose]: () => log[Symbol.dispose]() },
    inspection: async (name) => inspectionOf(name, recording, log),
    judge: async () => {
      const state = await stateAtItsEnd(folder, { recording, log, accelerator });
      return async (machine, disk, { config }) => {
        const after = await boot(machine, disk);
        return { redone: after.redone, faults: faultsOf(config, after, state) };
      };
    },
  };
}

/** The state in which a recorded boot of a node ends when nothing is cut, on that machine. @param folder of the recording */
export async function stateAtItsEnd(
  folder: string,
  { recording, log, accelerator }: Pick<Subject, "recording" | "log" | "accelerator">,
): Promise<Recovered["state"]> {
  const boot = async (name: string, disk: DiskAttachment) => recovered(name, disk, recording.medium, accelerator);
  return undisturbed(join(folder, undisturbedFile("", accelerator)), { recording, log }, "last", boot, accelerator.kind);
}

/** In user mode a disk has another name. */
function undisturbedFile(of: string, { kind }: Accelerator): string {
  return `undisturbed${of}${kind === "user-mode" ? "-user-mode" : ""}.json`;
}

async function upgradeSubject(part: "install" | "trial", upgrade: RecordedUpgrade, wanted?: Accelerator): Promise<Subject> {
  const accelerator = wanted ?? (await findAccelerator());
  const machine = { accelerator, update: upgrade.update };
  const recording = upgrade[part];
  const log = openWriteLog(recording.log);
  const boot = async (name: string, disk: DiskAttachment) => upgradedNode(name, disk, machine);
  return {
    ...{ recording, log, accelerator, results: join(upgradeFolder, `${part}.jsonl`), [Symbol.dispose]: () => log[Symbol.dispose]() },
    // A is what there is to go back to until B is confirmed; from the trial on B runs.
    inspection: async (name) => upgradeInspection(name, upgrade, recording, log, part === "install" ? ["A"] : ["A", "B"]),
    judge: async () => {
      using before = openWriteLog(upgrade.install.log);
      using after = openWriteLog(upgrade.trial.log);
      const file = (slot: string): string => join(upgradeFolder, undisturbedFile(`-${slot}`, accelerator));
      return upgradeJudge(machine, {
        A: await undisturbed(file("A"), { recording: upgrade.install, log: before }, "first", boot, accelerator.kind),
        B: await undisturbed(file("B"), { recording: upgrade.trial, log: after }, "last", boot, accelerator.kind),
      });
    },
  };
}
