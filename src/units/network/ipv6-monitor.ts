import { activate, conflict } from "../../boot/unit.ts";
import { readNetworkConf } from "../../config/network-conf.ts";
import type { Host } from "../../system/host.ts";
import {
  canonicalIp,
  hasCarrier,
  type Ipv6Address,
  ipv6Addresses,
  isUsable,
  type NetworkInterface,
  primaryInterface,
} from "../../system/network/network-interfaces.ts";
import { reconfigureLink, waitForLink } from "../../system/network/networkd.ts";
import { ProblemError } from "../../base/problem.ts";
import { unit } from "../machine.ts";
import { systemBus } from "../services/system-bus.ts";
import { network, networkApplied } from "./network.ts";

/**
 * Afterwards the primary interface has an IPv6 address that can be used: the one of network.conf, or any global one from
 * a router's advertisement. An address whose duplicate detection still runs is not one yet.
 *
 * Asks systemd-networkd over D-Bus, which gives up asking for routers when none was there at boot.
 * Degrades: a node without IPv6 is of little use, but it must come up, say so, and be repairable. A conflict means that
 * another node in the network has the configured address.
 */
export const ipv6Monitor = unit({
  name: "ipv6-monitor",
  title: "Obtain an IPv6 address",
  requires: [network, systemBus],
  after: [networkApplied],
  onFailure: "degrade",
  // Asking networkd again takes nothing away from a node that has no address.
  mends: true,
  timeout: 90_000,
  // A network card may take some seconds to find its link.
  retryFor: 10_000,
  async plan({ host, layout }) {
    const link = await primaryInterface(host);
    if (link === undefined)
      throw new ProblemError({
        what: "there is no IPv6 address",
        found: "no Ethernet device in /sys/class/net",
        todo: "see the unit network",
      });
    const configured = (await readNetworkConf(host, layout)).ipv6_address?.split("/")[0];
    const wanted = configured === undefined ? undefined : canonicalIp(configured);
    const addresses = await candidates(host, link, wanted);
    if (addresses.some(isUsable)) return [];
    if (wanted !== undefined && addresses.some((address) => address.duplicate)) {
      return conflict({
        what: `the IPv6 address of ${link.name} is in use by another node`,
        found: `${wanted} failed duplicate address detection`,
        expected: "an address of this node alone",
        todo: "correct ipv6_address in network.conf, then: guestos-boot --unit network",
      });
    }
    if (!(await hasCarrier(host, link.name))) throw noCarrier(link);
    const goal = wanted ?? "an IPv6 address";
    return [
      activate(`wait for ${goal} on ${link.name}, and have systemd-networkd reconfigure it if need be`, async () => {
        const reached = async (): Promise<boolean> => (await candidates(host, link, wanted)).some(isUsable);
        // While networkd is still busy (soliciting routers, detecting duplicates), interrupting it would only cost time.
        const settled = await waitForLink(host, link.index, {
          within: SETTLING_TIME,
          reached: async (now) => !BUSY.includes(now.administrativeState) || (await reached()),
        });
        if (settled.reached && (await reached())) return;
        if ((await reconfigureLink(host, link.index, { within: RECONFIGURE_TIME, reached })).reached) return;
        throw await noAddress(host, link, wanted);
      }),
    ];
  },
});

/** One more router solicitation and its answer (RFC 4861, 10: RTR_SOLICITATION_INTERVAL is four seconds). */
const SETTLING_TIME = 5_000;
/** Three solicitations (MAX_RTR_SOLICITATIONS), and the detection of duplicates. */
const RECONFIGURE_TIME = 15_000;
/** States of a link with which networkd is not done yet (networkctl(1)). */
const BUSY = ["pending", "initialized", "configuring"];

/** The addresses of the interface that would do: all of them, or the wanted one alone. */
async function candidates(host: Host, { index }: NetworkInterface, wanted: string | undefined): Promise<readonly Ipv6Address[]> {
  const own = (await ipv6Addresses(host)).filter((address) => address.interfaceIndex === index);
  return wanted === undefined ? own : own.filter((address) => address.address === wanted);
}

function noCarrier({ name }: NetworkInterface): ProblemError {
  return new ProblemError(
    {
      what: `${name} has no carrier`,
      found: "nothing at the other end of the link",
      expected: "a link, then an IPv6 address",
      todo: `check the cable or the host's bridge; then: guestos-boot --unit ipv6-monitor`,
    },
    { retryable: true },
  );
}

async function noAddress(host: Host, link: NetworkInterface, wanted: string | undefined): Promise<ProblemError> {
  const seen = (await candidates(host, link, undefined)).map(
    (address) => `${address.address}/${address.prefixLength}${address.tentative ? " (tentative)" : ""}`,
  );
  const found = seen.length === 0 ? "no IPv6 address at all" : seen.join(" ");
  if (wanted !== undefined) {
    return new ProblemError({
      what: `${link.name} did not get its IPv6 address`,
      found,
      expected: wanted,
      todo: `networkctl status ${link.name}; journalctl -b -u systemd-networkd`,
    });
  }
  return new ProblemError({
    what: `no router advertised a prefix on ${link.name}`,
    found,
    expected: "a global IPv6 address by router advertisement",
    todo: `check the router (rdisc6 ${link.name}), or set ipv6_address and ipv6_gateway in network.conf`,
  });
}
