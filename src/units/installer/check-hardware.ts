import { oneLine } from "../../base/problem.ts";
import { readNodeFolder } from "../../config/setup/node-folder.ts";
import { askMachine } from "../../setupos/ask-machine.ts";
import { hardwareVerdict } from "../../setupos/hardware.ts";
import { refuseProblems } from "../../setupos/several-problems.ts";
import { unit } from "../machine.ts";
import { checkConfig } from "./check-config.ts";
import { checksLeftOut, stickOf } from "./stick.ts";

/**
 * Afterwards it is known that the machine is as its reward type demands: processors, memory, drives, firmware. Everything that is wrong is told
 * at once, and what could not be found out counts. It changes nothing.
 */
export const checkHardware = unit({
  name: "check-hardware",
  title: "Check the machine's hardware",
  requires: [checkConfig],
  timeout: 600_000,
  absent: checksLeftOut,
  async plan(machine) {
    const { host, note } = machine;
    const { config, data } = stickOf(machine);
    const { configIni } = await readNodeFolder(host, config.mountPoint, data.mountPoint);
    const { mistakes, warnings, unknown } = hardwareVerdict((await askMachine(host)).hardware, configIni?.config.node_reward_type);
    for (const problem of warnings) note(oneLine(problem));
    refuseProblems("this machine is not one that a node can be installed on", [...mistakes, ...unknown]);
    return [];
  },
});
