import type { Problem } from "../base/problem.ts";
import type { ConfigIni } from "../config/setup/config-ini-keys.ts";
import { checkNodeConfig, type NodeSystem } from "../config/setup/node-config.ts";
import { readNodeFolder } from "../config/setup/node-folder.ts";
import type { Host } from "../system/host.ts";
import type { GatewayQuestion } from "../system/network/try-port.ts";
import { askMachine } from "./ask-machine.ts";
import { askBmc } from "./bmc.ts";
import { planDisks, type PlannedDrive } from "./disk-plan.ts";
import { type HardwareFacts, hardwareVerdict } from "./hardware.ts";
import { askPorts, type Port, portsVerdict } from "./ports.ts";

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
  /** The MAC address of the BMC, or that which deployment.json has in its place. */
  readonly mgmtMac: string | undefined;
  /** The node's systems, and the addresses that follow from it. */
  readonly systems: readonly NodeSystem[];
  readonly ports: readonly Port[];
}

export interface MachineQuestions {
  /** The operator's token, in the place of that in config.ini. */
  readonly token: string | undefined;
  /** Whether the gateway is asked on each port. It has an address of the installer for that time. */
  readonly triesPorts: boolean;
}

/**
 * Checks the machine that this runs on, as the installer will: everything that is wrong, at once. It changes nothing, except for
 * a try of the ports.
 *
 * @param folder with the node's config.ini. Only what is needed of it is taken: `checkNodeConfig` tells its mistakes
 * @throws ProblemError when there is no such folder
 */
export async function checkMachine(host: Host, folder: string, { token, triesPorts }: MachineQuestions): Promise<CheckedMachine> {
  const { configIni, deploymentJson } = await readNodeFolder(host, folder);
  const config = configIni?.config ?? {};
  const { hardware, drives } = await askMachine(host);
  const verdict = hardwareVerdict(hardware, config.node_reward_type);
  // Where the drives are not known, the verdict says it.
  const plan = "value" in drives ? planDisks(drives.value, token ?? config.replace_installed) : undefined;
  const bmc = await askBmc(host, deploymentJson?.deployment.mgmtMac);
  const { systems } = await checkNodeConfig(host, folder, bmc.mgmtMac);
  const question = triesPorts ? gatewayQuestion(systems, config) : undefined;
  const ports = await askPorts(host, question);
  const network = portsVerdict(ports, { ipv6: config.ipv6_gateway, ipv4: config.ipv4_gateway });
  return {
    mistakes: [...verdict.mistakes, ...(plan?.mistakes ?? []), ...network.mistakes],
    warnings: [...verdict.warnings, ...(plan?.warnings ?? []), ...bmc.warnings],
    unknown: [
      ...verdict.unknown,
      ...(plan?.unknown ?? []),
      ...bmc.unknown,
      ...(triesPorts && question === undefined ? [NO_QUESTION] : []),
      ...network.unknown,
    ],
    rewardType: config.node_reward_type,
    ...{ hardware, drives: plan?.drives, token: plan?.token, mgmtMac: bmc.mgmtMac, systems, ports },
  };
}

/** What is needed to try a port: the installer's own address, and whom to ask. */
function gatewayQuestion(
  systems: readonly NodeSystem[],
  { ipv6_gateway: gateway, ipv4_address, ipv4_prefix_length, ipv4_gateway }: ConfigIni,
): GatewayQuestion | undefined {
  const address = systems.find(({ name }) => name === "SetupOS")?.ipv6;
  if (address === undefined || gateway === undefined) return undefined;
  const hasIpv4 = ipv4_address !== undefined && ipv4_prefix_length !== undefined && ipv4_gateway !== undefined;
  return {
    address,
    gateway,
    ipv4: hasIpv4 ? { address: ipv4_address, prefixLength: ipv4_prefix_length, gateway: ipv4_gateway } : undefined,
  };
}

const NO_QUESTION: Problem = {
  code: "ports-not-tried",
  what: "the ports cannot be tried: the installer's address or the gateway is not known",
  expected: "ipv6_prefix and ipv6_gateway in config.ini, and the MAC address of the BMC",
  todo: "guestos-boot check-node-config says what is wrong with the configuration",
};
