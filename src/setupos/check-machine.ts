import type { Problem } from "../base/problem.ts";
import { readNodeFolder } from "../config/setup/node-folder.ts";
import type { Host } from "../system/host.ts";
import { askMachine } from "./ask-machine.ts";
import { planDisks, type PlannedDrive } from "./disk-plan.ts";
import { type HardwareFacts, hardwareVerdict } from "./hardware.ts";

/** What is said of a machine before a node is installed on it. */
export interface CheckedMachine {
  /** The installer would stop, or the node would not work. */
  readonly mistakes: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** What could not be found out: it may be a mistake. */
  readonly unknown: readonly Problem[];
  /** As config.ini has it. */
  readonly rewardType: string | undefined;
  readonly hardware: HardwareFacts;
  /** What the installer shall do with each drive. `undefined` where that is not known. */
  readonly drives: readonly PlannedDrive[] | undefined;
  /** Allows what is on the drives now to be replaced. Absent where that is not needed, or not known. */
  readonly token: string | undefined;
}

/**
 * Checks the machine that this runs on, as the installer will: everything that is wrong, at once. It changes nothing.
 *
 * @param folder with the node's config.ini. Only what is needed of it is taken: `checkNodeConfig` tells its mistakes
 * @param token in the place of that in config.ini
 * @throws ProblemError when there is no such folder
 */
export async function checkMachine(host: Host, folder: string, token: string | undefined): Promise<CheckedMachine> {
  const config = (await readNodeFolder(host, folder)).configIni?.config ?? {};
  const { hardware, drives } = await askMachine(host);
  const verdict = hardwareVerdict(hardware, config.node_reward_type);
  // Where the drives are not known, the verdict says it.
  const plan = "value" in drives ? planDisks(drives.value, token ?? config.replace_installed) : undefined;
  return {
    mistakes: [...verdict.mistakes, ...(plan?.mistakes ?? [])],
    warnings: [...verdict.warnings, ...(plan?.warnings ?? [])],
    unknown: [...verdict.unknown, ...(plan?.unknown ?? [])],
    rewardType: config.node_reward_type,
    ...{ hardware, drives: plan?.drives, token: plan?.token },
  };
}
