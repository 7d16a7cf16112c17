import { CommandError } from "../command.ts";
import type { Host } from "../host.ts";
import { bringDown, bringUp, hasCarrier, isUp, type NetworkInterface } from "./network-interfaces.ts";
import { deadlineIn, pause, systemClock } from "../../base/clock.ts";

/** The results of a probe of some interfaces. */
export interface Probed {
  readonly withCarrier: readonly NetworkInterface[];
  /** Those of them on which an IPv6 router has advertised itself. Probed only where several have a carrier. */
  readonly withRouter: readonly NetworkInterface[];
}

/** Milliseconds. A link that negotiates its speed takes some seconds (IEEE 802.3, clause 28), and longer where it is first retrained. */
const CARRIER_TIME = 20_000;
/** Milliseconds for the carriers of the others, once one has its own. */
const OTHER_CARRIERS_TIME = 5_000;
/**
 * Milliseconds. The kernel takes up to two seconds for a link-local address (RFC 4862, 5.4). Then it solicits, up to a second later, and
 * again after four (RFC 4861, 10).
 */
const ROUTER_TIME = 9_000;
/** Milliseconds for further routers to answer: one takes up to half a second (MAX_RA_DELAY_TIME). */
const OTHERS_TIME = 2_000;
const CHECK_AGAIN = 100;

/**
 * Finds out which interfaces have a link and a router. An interface that is down is brought up for the probe, which makes the kernel
 * solicit routers, and is taken down afterwards. The addresses that the kernel gave it are gone then, and nothing else changes. Takes at
 * most 36 s.
 */
export async function probeInterfaces(host: Host, interfaces: readonly NetworkInterface[]): Promise<Probed> {
  const raised: NetworkInterface[] = [];
  try {
    const left = deadlineIn(BUSY_TIME);
    for (const one of interfaces) {
      if (await isUp(host, one.name)) continue;
      raised.push(one);
      await bringUpOnceFree(host, one, left);
    }
    const withCarrier = await those(host, interfaces, async (_, { name }) => hasCarrier(host, name), {
      within: CARRIER_TIME,
      once: OTHER_CARRIERS_TIME,
    });
    if (withCarrier.length <= 1) return { withCarrier, withRouter: [] };
    return { withCarrier, withRouter: await those(host, withCarrier, hasHeardRouter, { within: ROUTER_TIME, once: OTHERS_TIME }) };
  } finally {
    for (const { name } of raised) await bringDown(host, name);
  }
}

type Question = (host: Host, one: NetworkInterface) => Promise<boolean>;

/** @param once how long the others may take once the first has succeeded */
async function those(
  host: Host,
  interfaces: readonly NetworkInterface[],
  question: Question,
  { within, once }: { readonly within: number; readonly once: number },
): Promise<readonly NetworkInterface[]> {
  for (let left = deadlineIn(within), isFirst = true; ;) {
    const found: NetworkInterface[] = [];
    for (const one of interfaces) if (await question(host, one)) found.push(one);
    if (found.length > 0 && isFirst) {
      left = deadlineIn(Math.min(left(), once));
      isFirst = false;
    }
    if (found.length === interfaces.length || left() === 0 || !(await pause(systemClock, CHECK_AGAIN, host.signal))) return found;
  }
}

/** The kernel counts all advertisements that it receives, whichever process uses them (net/ipv6/proc.c). */
async function hasHeardRouter(host: Host, { name }: NetworkInterface): Promise<boolean> {
  const counters = (await host.readText(`/proc/net/dev_snmp6/${name}`)) ?? "";
  return Number(/^Icmp6InRouterAdvertisements\s+(\d+)$/m.exec(counters)?.[1] ?? 0) > 0;
}

/** Milliseconds for interfaces that are busy: a driver that has just been loaded may still set up its device. */
const BUSY_TIME = 5_000;

/** An interface that cannot be brought up leads nowhere. @param left of the time in which one that is busy is tried again */
async function bringUpOnceFree(host: Host, { name }: NetworkInterface, left: () => number): Promise<void> {
  for (;;) {
    try {
      await bringUp(host, name);
      return;
    } catch (error) {
      if (!(error instanceof CommandError) || host.signal.aborted) throw error;
      // EBUSY and EAGAIN, in the words of strerror(3).
      const isBusy = /resource (?:busy|temporarily unavailable)/i.test(error.stderr);
      if (!isBusy || left() === 0 || !(await pause(systemClock, CHECK_AGAIN, host.signal))) return;
    }
  }
}
