import type { Problem } from "../base/problem.ts";
import type { Host } from "../system/host.ts";
import { bringDown, bringUp, hasCarrier, type NetworkInterface, networkInterfaces } from "../system/network/network-interfaces.ts";
import { currentSpeed, highestSpeed } from "../system/network/port-speed.ts";
import { type GatewayQuestion, type TriedPort, tryPort, waitForLinks } from "../system/network/try-port.ts";
import { known, type Known } from "./known.ts";

/** A network port of the machine. */
export interface Port {
  readonly port: NetworkInterface;
  /** Whether the installer tries it. It goes by the name. */
  readonly isCandidate: boolean;
  readonly hasLink: boolean;
  /** Mb/s. */
  readonly speed: number | undefined;
  /** Mb/s that it can run at. */
  readonly highest: number | undefined;
  /** What became of the try. Absent where it was not tried. */
  readonly tried: Known<TriedPort> | undefined;
}

/**
 * The ports, in the order in which the installer tries them: those with a link first, the fastest of them first.
 *
 * @param question with it, candidates are tried in that order. All are up for that time: a port that is down shows neither link nor speed. One
 *   has an address at a time
 * @param isOneEnough whether those behind the first that is answered are left
 */
export async function askPorts(host: Host, question: GatewayQuestion | undefined, isOneEnough = false): Promise<readonly Port[]> {
  const all = await networkInterfaces(host);
  if (question === undefined) return seenPorts(host, all);
  const names = all.map(({ name }) => name).filter((name) => isCandidateName(name));
  const raised: string[] = [];
  try {
    for (const name of names) {
      // Where it fails, the try fails too, and says why.
      const isRaised = await known(async () => bringUp(host, name));
      if ("value" in isRaised && isRaised.value) raised.push(name);
    }
    await waitForLinks(host, names);
    const asked: Port[] = [];
    for (const port of await seenPorts(host, all)) {
      const isLeft = !port.isCandidate || (isOneEnough && chosenPort(asked) !== undefined);
      asked.push(isLeft ? port : await triedPort(host, port, question));
    }
    return asked;
  } finally {
    for (const name of raised) await bringDown(host, name);
  }
}

function isCandidateName(name: string): boolean {
  return /^en[ops]/.test(name);
}

async function seenPorts(host: Host, all: readonly NetworkInterface[]): Promise<readonly Port[]> {
  const ports: Port[] = [];
  for (const port of all) {
    const { name } = port;
    const highest = await known(async () => highestSpeed(host, name));
    ports.push({
      ...{ port, isCandidate: isCandidateName(name), hasLink: await hasCarrier(host, name), speed: await currentSpeed(host, name) },
      ...{ highest: "value" in highest ? highest.value : undefined, tried: undefined },
    });
  }
  return ports.toSorted((one, two) => rank(two) - rank(one));
}

async function triedPort(host: Host, port: Port, question: GatewayQuestion): Promise<Port> {
  const tried = await known(async () => tryPort(host, port.port, question));
  if ("problem" in tried) return { ...port, tried };
  // A link may come, or go, while it is tried.
  const { answer, speed = port.speed } = tried.value;
  return { ...port, tried, hasLink: answer !== "no link", speed };
}

/** Larger for what is tried sooner. */
function rank({ isCandidate, hasLink, speed, highest }: Port): number {
  return (isCandidate ? 1e9 : 0) + (hasLink ? 1e8 : 0) + (speed ?? highest ?? 0);
}

export interface PortsVerdict {
  readonly mistakes: readonly Problem[];
  readonly unknown: readonly Problem[];
}

/** The first port on which the gateway has answered: the one that the installer takes. */
export function chosenPort(ports: readonly Port[]): { readonly port: NetworkInterface; readonly tried: TriedPort } | undefined {
  for (const { port, tried } of ports)
    if (tried !== undefined && "value" in tried && tried.value.answer === "answered") return { port, tried: tried.value };
  return undefined;
}

/** What is wrong with the network. Pure: the ports were asked before. @param gateways that were asked, as config.ini has them */
export function portsVerdict(
  ports: readonly Port[],
  { ipv6: gateway, ipv4 }: { readonly ipv6: string | undefined; readonly ipv4: string | undefined },
): PortsVerdict {
  const candidates = ports.filter(({ isCandidate }) => isCandidate);
  if (candidates.length === 0) return { mistakes: [noPort(ports)], unknown: [] };
  const answers = candidates.flatMap(({ port, tried }) => (tried === undefined ? [] : [{ name: port.name, tried }]));
  if (answers.length === 0) return { mistakes: [], unknown: candidates.some(({ hasLink }) => hasLink) ? [] : [noLink(candidates)] };
  const chosen = chosenPort(ports);
  if (chosen !== undefined) return { mistakes: chosen.tried.ipv4 === "silent" ? [ipv4Silent(chosen.port.name, ipv4)] : [], unknown: [] };
  const inUse = answers
    .filter(({ tried }) => "value" in tried && tried.value.answer === "address in use")
    .map(({ name }) => addressInUse(name));
  const failed = answers.flatMap(({ name, tried }) => ("problem" in tried ? [notTried(name, tried.problem)] : []));
  const silent =
    failed.length > 0 || inUse.length > 0
      ? []
      : [
          gatewaySilent(
            answers.map(({ name, tried }) => `${name}: ${triedText(tried)}`),
            gateway,
          ),
        ];
  return { mistakes: [...inUse, ...silent], unknown: failed };
}

/** For the table of ports. */
export function triedText(tried: Port["tried"]): string {
  if (tried === undefined) return "not asked";
  if ("problem" in tried) return "not known";
  const { answer, ipv4 } = tried.value;
  return ipv4 === "silent" ? `${answer}, IPv4 silent` : answer;
}

function noPort(ports: readonly Port[]): Problem {
  return {
    code: "port-missing",
    what: "there is no network port that the installer tries",
    found: ports.length === 0 ? "no port" : ports.map(({ port }) => port.name).join(", "),
    expected: "a port whose name begins with eno, enp or ens",
    todo: "check that the network card is seen, and that its driver has its firmware: lspci -k, dmesg",
  };
}

function noLink(candidates: readonly Port[]): Problem {
  return {
    code: "port-link-not-known",
    what: "it is not known to which port a cable is connected: a port that is down shows no link",
    found: `no link on ${candidates.map(({ port }) => port.name).join(", ")}`,
    expected: "a link on one port",
    todo: "try them with --try-ports, or bring them up: ip link set NAME up",
  };
}

function addressInUse(name: string): Problem {
  return {
    code: "address-in-use",
    what: `another machine on the network of ${name} has the installer's address`,
    found: "an answer for it",
    expected: "no one else with it",
    todo: "look for a machine that is installed with the same MAC address of a BMC: an old one of this node, perhaps",
  };
}

function notTried(name: string, { what, found, ...problem }: Problem): Problem {
  const reason = found === undefined ? what : `${what}: ${found}`;
  return {
    ...problem,
    code: "port-not-tried",
    what: `the port ${name} could not be tried`,
    found: reason,
    expected: "an answer of the gateway",
  };
}

function ipv4Silent(name: string, gateway: string | undefined): Problem {
  return {
    code: "ipv4-gateway-silent",
    what: `the IPv4 gateway does not answer on ${name}, where that of IPv6 does`,
    found: "fewer than two answers in 20 seconds",
    expected: `two answers of ${gateway ?? "the gateway"}`,
    todo: "compare ipv4_address, ipv4_prefix_length and ipv4_gateway of config.ini, and ask the data centre whether IPv4 is on this port",
  };
}

function gatewaySilent(answers: readonly string[], gateway: string | undefined): Problem {
  return {
    code: "no-port-answered",
    what: "the gateway answers on no port",
    found: answers.join(", "),
    expected: `an answer of ${gateway ?? "the gateway"} on one port`,
    todo: "check cable and switch port, ask the data centre for the VLAN of the port, and compare ipv6_gateway of config.ini",
  };
}
