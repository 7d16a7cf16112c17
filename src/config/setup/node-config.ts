import type { Problem } from "../../base/problem.ts";
import type { Host } from "../../system/host.ts";
import type { GuestosConfig } from "../guestos-settings.ts";
import { guestosConfigOf } from "../hostos-config.ts";
import type { HostosConfig } from "../hostos-settings.ts";
import { addressInPrefix, deterministicMac, type Environment, SYSTEM_INDEX } from "../values/deterministic-address.ts";
import type { ConfigIniFile } from "./config-ini.ts";
import { hostosConfigOf } from "./host-of-node.ts";
import { NODE_FILES, readNodeFolder } from "./node-folder.ts";

/** One system of a node, and its address on the network. */
export interface NodeSystem {
  readonly name: string;
  readonly mac: string;
  /** Absent where the prefix is not known. */
  readonly ipv6?: string;
}

/** What can be said of a node before there is a machine. */
export interface CheckedNode {
  /** The installer would refuse, or the node would not work. */
  readonly mistakes: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** What could not be found out here. */
  readonly unknown: readonly Problem[];
  /** Of an image of today, if there is no deployment.json. */
  readonly environment: Environment | undefined;
  readonly accounts: ReadonlyMap<string, number> | undefined;
  readonly hasOperatorKey: boolean;
  readonly systems: readonly NodeSystem[];
  /** What is stored on the host, and what its guest gets. Only of a folder without a mistake in which nothing is missing. */
  readonly hostosConfig: HostosConfig | undefined;
  readonly guestosConfig: GuestosConfig | undefined;
}

/**
 * Checks a node's configuration as the installer will: everything that is wrong, at once. It changes nothing, and asks no machine.
 *
 * @param mac that of the node's BMC, in its canonical form
 * @param data the folder with deployment.json, where that is another one
 * @throws ProblemError when there is no such folder
 */
export async function checkNodeConfig(host: Host, folder: string, mac: string | undefined, data: string = folder): Promise<CheckedNode> {
  const read = await readNodeFolder(host, folder, data);
  const { configIni, deploymentJson, hasDeploymentJson, hasOperatorKey, accounts } = read;
  const config = configIni?.config ?? {};
  const deployment = deploymentJson?.deployment;
  const environment = hasDeploymentJson ? deployment?.environment : "mainnet";
  const mgmtMac = deployment?.mgmtMac ?? mac;
  const systems = mgmtMac === undefined || environment === undefined ? [] : systemsOf(mgmtMac, environment, config.ipv6_prefix);
  const mistakes = [...read.mistakes, ...gatewayTwice(systems, configIni)];
  const isWhole = mistakes.length === 0 && deployment !== undefined && mgmtMac !== undefined;
  const hostosConfig = isWhole
    ? hostosConfigOf(config, deployment, { mgmtMac, operatorKey: read.operatorKey, hasKeys: accounts !== undefined })
    : undefined;
  const needsCertificates = hostosConfig?.icos_settings.enable_trusted_execution_environment === true;
  return {
    mistakes,
    warnings: [
      ...read.warnings,
      ...(mac === undefined || deployment?.mgmtMac === undefined || deployment.mgmtMac === mac ? [] : [otherMac(mac, deployment.mgmtMac)]),
      ...(hasOperatorKey || !/^type[34]/.test(config.node_reward_type ?? "") ? [] : [NO_OPERATOR_KEY]),
    ],
    unknown: [
      ...(mgmtMac === undefined ? [NO_MAC] : []),
      ...(hasDeploymentJson ? [] : [NO_DEPLOYMENT]),
      ...(needsCertificates ? [NO_CERTIFICATES] : []),
      ...(config.node_reward_type?.startsWith("type4") === true ? [MORE_GUESTS] : []),
    ],
    ...{ environment, accounts, hasOperatorKey, systems, hostosConfig },
    guestosConfig: hostosConfig === undefined || needsCertificates ? undefined : guestosConfigOf(hostosConfig, { type: "default" }),
  };
}

const SYSTEMS: readonly (readonly [name: string, index: number])[] = [
  ["SetupOS", SYSTEM_INDEX.setup],
  ["HostOS", SYSTEM_INDEX.host],
  ["GuestOS", SYSTEM_INDEX.default],
  ["GuestOS, upgrading", SYSTEM_INDEX.upgrade],
];

function systemsOf(mgmtMac: string, environment: Environment, prefix: string | undefined): readonly NodeSystem[] {
  return SYSTEMS.map(([name, index]) => {
    const mac = deterministicMac(mgmtMac, environment, index);
    const ipv6 = prefix === undefined ? undefined : addressInPrefix(prefix, mac);
    return { name, mac, ...(ipv6 === undefined ? {} : { ipv6 }) };
  });
}

/** Two machines of one address: neither is reached. */
function gatewayTwice(systems: readonly NodeSystem[], configIni: ConfigIniFile | undefined): readonly Problem[] {
  const twice = systems.find(({ ipv6 }) => ipv6 !== undefined && ipv6 === configIni?.config.ipv6_gateway);
  if (configIni === undefined || twice === undefined) return [];
  const { line, column, found } = configIni.finding("ipv6_gateway", "");
  return [
    {
      code: "gateway-twice",
      what: `ipv6_gateway is the address of ${twice.name}, which is computed`,
      where: { file: NODE_FILES.configIni, line, column },
      found,
      expected: "the address of another machine",
      todo: "ask the data centre for the gateway, or for another network",
    },
  ];
}

function otherMac(given: string, counts: string): Problem {
  return {
    code: "mac-twice",
    what: `mgmt_mac of ${NODE_FILES.deploymentJson} counts, and is another address`,
    where: { file: NODE_FILES.deploymentJson },
    found: counts,
    expected: given,
    todo: "remove it from deployment.json, or check the address",
  };
}

const NO_OPERATOR_KEY: Problem = {
  code: "operator-key-missing",
  what: `there is no ${NODE_FILES.operatorKey}: the installer waits for an HSM`,
  todo: `put the key of the node operator into the folder as ${NODE_FILES.operatorKey}, or plug in the HSM at the machine`,
};
const NO_MAC: Problem = {
  code: "mac-unknown",
  what: "the addresses of the node are not known: they follow from the MAC address of its BMC",
  todo: "give it with --mac: it is on the machine's label, and on the first page of the BMC",
};
const NO_DEPLOYMENT: Problem = {
  code: "deployment-unknown",
  what: `there is no ${NODE_FILES.deploymentJson}, so mainnet is taken to be the network`,
  todo: "copy it from the partition data of the stick, if it is to be checked too",
};
const NO_CERTIFICATES: Problem = {
  code: "certificates-unknown",
  what: "the configuration of the guest is made on the machine: the certificates of its processor are a part of it",
};
const MORE_GUESTS: Problem = {
  code: "guests-unknown",
  what: "a host of type4 may run several guests: the address is that of the first one, and the installer makes room for one",
};
