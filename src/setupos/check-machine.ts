import type { Problem } from "../base/problem.ts";
import { readNodeFolder } from "../config/setup/node-folder.ts";
import type { Host } from "../system/host.ts";
import { askMachine, type MachineFacts } from "./ask-machine.ts";
import { hardwareVerdict } from "./hardware.ts";

/** What is said of a machine before a node is installed on it. */
export interface CheckedMachine {
  /** The installer would stop, or the node would not work. */
  readonly mistakes: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** What could not be found out: it may be a mistake. */
  readonly unknown: readonly Problem[];
  /** As config.ini has it. */
  readonly rewardType: string | undefined;
  readonly machine: MachineFacts;
}

/**
 * Checks the machine that this runs on, as the installer will: everything that is wrong, at once. It changes nothing.
 *
 * @param folder with the node's config.ini. Only what is needed of it is taken: `checkNodeConfig` tells its mistakes
 * @throws ProblemError when there is no such folder
 */
export async function checkMachine(host: Host, folder: string): Promise<CheckedMachine> {
  const config = (await readNodeFolder(host, folder)).configIni?.config ?? {};
  const machine = await askMachine(host);
  return { ...hardwareVerdict(machine.hardware, config.node_reward_type), rewardType: config.node_reward_type, machine };
}
