import { deadlineIn, pause, systemClock } from "../../base/clock.ts";
import type { Host } from "../host.ts";
import { bringDown, bringUp, hasCarrier, ipv6Addresses, type NetworkInterface } from "./network-interfaces.ts";
import { currentSpeed } from "./port-speed.ts";

/** How far a try came. */
export type PortAnswer = "answered" | "silent" | "no link" | "address in use";

/** What is asked on a port, and with which addresses of this machine. */
export interface GatewayQuestion {
  /** In a network of 64 bits. */
  readonly address: string;
  readonly gateway: string;
  /** Of a node with IPv4, beside that. The gateway is in the network of the address. */
  readonly ipv4: { readonly address: string; readonly prefixLength: number; readonly gateway: string } | undefined;
}

export interface TriedPort {
  readonly answer: PortAnswer;
  /** Of the gateway of IPv4, which is asked once that of IPv6 has answered. Absent where it was not asked. */
  readonly ipv4?: "answered" | "silent";
  /** Mb/s while it was up; `undefined` where it does not say. */
  readonly speed: number | undefined;
}

/** Milliseconds. A link that negotiates its speed takes some seconds. */
const LINK_TIME = 20_000;
/** Milliseconds. The kernel waits about two seconds for another machine to object (RFC 4862, 5.4). */
const ADDRESS_TIME = 6_000;
/** Switches that look for loops hold a new link back for up to half a minute (IEEE 802.1D). */
const TRIES = 10;
/** Seconds for which a router may take to answer. */
const ANSWER_TIME = 3;
/** Answers of the gateway of IPv4, and seconds for both (dfinity/ic, ic-os/components/setupos/check-network.sh). */
const IPV4 = { answers: 2, within: 20 };
/** Seconds after which the kernel takes the address away by itself, whatever becomes of this program. */
const LIFETIME = 180;
const LIFETIMES = ["valid_lft", `${LIFETIME}`, "preferred_lft", `${LIFETIME}`];
const CHECK_AGAIN = 100;

/**
 * Asks the gateways on one interface, as the installer does: brings it up, gives it an address, and pings. Afterwards the addresses are gone
 * again, and the interface is down if it was. Takes at most a minute, and 20 seconds for IPv4.
 *
 * @throws CommandError
 */
export async function tryPort(host: Host, port: NetworkInterface, question: GatewayQuestion): Promise<TriedPort> {
  const { name } = port;
  const isRaised = await bringUp(host, name);
  try {
    if (!(await waitForLinks(host, [name]))) return { answer: "no link", speed: undefined };
    const answer = await askWithAddress(host, port, question);
    const ipv4 = answer === "answered" && question.ipv4 !== undefined ? { ipv4: await askIpv4(host, port, question.ipv4) } : {};
    return { answer, ...ipv4, speed: await currentSpeed(host, name) };
  } finally {
    if (isRaised) await bringDown(host, name);
  }
}

/** Waits for the links of interfaces that are up, for 20 seconds at most. @returns whether each has one */
export async function waitForLinks(host: Host, names: readonly string[]): Promise<boolean> {
  return until(host, LINK_TIME, async () => (await Promise.all(names.map(async (name) => hasCarrier(host, name)))).every(Boolean));
}

async function askWithAddress(
  host: Host,
  { name, index }: NetworkInterface,
  { address, gateway }: Pick<GatewayQuestion, "address" | "gateway">,
): Promise<PortAnswer> {
  const place = [`${address}/64`, "dev", name];
  await host.run({ program: "ip", args: ["-6", "address", "add", ...place, ...LIFETIMES] });
  try {
    const own = async () => (await ipv6Addresses(host)).find((one) => one.address === address && one.interfaceIndex === index);
    await until(host, ADDRESS_TIME, async () => (await own())?.tentative !== true);
    // The kernel takes an address with an end away where another machine has it, and marks one without.
    const found = await own();
    if (found === undefined || found.duplicate) return "address in use";
    for (let tries = 0; tries < TRIES; tries += 1) {
      if (await answers(host, ["-6", "-n", "-c", "1", "-W", `${ANSWER_TIME}`, "-I", name, gateway])) return "answered";
    }
    return "silent";
  } finally {
    // 2: it is gone already (ip(8)).
    await host.run({ program: "ip", args: ["-6", "address", "del", ...place], okStatuses: [0, 2] });
  }
}

async function askIpv4(
  host: Host,
  { name }: NetworkInterface,
  { address, prefixLength, gateway }: NonNullable<GatewayQuestion["ipv4"]>,
): Promise<"answered" | "silent"> {
  const place = [`${address}/${prefixLength}`, "dev", name];
  // 2: the port has it already (ip(8)), and then keeps it.
  const { status } = await host.run({ program: "ip", args: ["-4", "address", "add", ...place, ...LIFETIMES], okStatuses: [0, 2] });
  try {
    const args = ["-4", "-n", "-c", `${IPV4.answers}`, "-w", `${IPV4.within}`, "-I", name, gateway];
    return (await answers(host, args)) ? "answered" : "silent";
  } finally {
    if (status === 0) await host.run({ program: "ip", args: ["-4", "address", "del", ...place], okStatuses: [0, 2] });
  }
}

async function answers(host: Host, args: readonly string[]): Promise<boolean> {
  // 1: no reply; 2: an error, such as a network that is not reached (ping(8)).
  const { status } = await host.run({ program: "ping", args, okStatuses: [0, 1, 2], todo: "install it: apt install iputils-ping" });
  return status === 0;
}

/** Asks again and again. @returns whether it came true in that time */
async function until(host: Host, time: number, isSo: () => Promise<boolean>): Promise<boolean> {
  for (const left = deadlineIn(time); !(await isSo());) {
    if (left() === 0 || !(await pause(systemClock, CHECK_AGAIN, host.signal))) return false;
  }
  return true;
}
