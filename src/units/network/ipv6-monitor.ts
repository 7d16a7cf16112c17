import { activate, conflict } from "../../boot/unit.ts";
import { isLinkLocal } from "../../config/values/ip-address.ts";
import { readNetworkConf } from "../../config/node-network.ts";
import type { Host } from "../../system/host.ts";
import { isBusy, type LinkDescription } from "../../system/network/link-description.ts";
import {
  canonicalIp,
  hasCarrier,
  type Ipv6Address,
  ipv6Addresses,
  ipv6Off,
  isUsable,
  type NetworkInterface,
} from "../../system/network/network-interfaces.ts";
import { waitForLink } from "../../system/network/networkd.ts";
import { type Problem, ProblemError } from "../../base/problem.ts";
import { solicitRouters } from "../../system/network/router-solicitation.ts";
import { unit } from "../machine.ts";
import { systemBus } from "../services/system-bus.ts";
import { network, networkApplied } from "./network.ts";
import { primaryInterface } from "./primary-interface.ts";
import { noCarrier } from "./link-problems.ts";

/**
 * Afterwards the primary interface has a usable IPv6 address: the one of network.conf, or any global one from a router's advertisement. An
 * address is not usable while its duplicate detection runs.
 *
 * It requires the network, and the bus, because it talks to systemd-networkd over D-Bus. If no router answers, networkd asks for routers
 * more and more seldom, down to once an hour (RFC 7559). Once a router has answered, it stops. So this unit sends one router solicitation,
 * which changes nothing on the node. A configured address is only waited for: applying it is the unit `network`'s task.
 *
 * If it fails, the boot is degraded. A node without IPv6 is of little use, but it must come up, report the error, and be repairable. A
 * conflict means that another node has the configured address, or that no node can use it, because it is link-local.
 */
export const ipv6Monitor = unit({
  name: "ipv6-monitor",
  title: "Obtain an IPv6 address",
  requires: [network, systemBus],
  after: [networkApplied],
  onFailure: "degrade",
  // A router solicitation changes nothing on the node.
  repairs: true,
  timeout: 90_000,
  // A network card may take some seconds to detect its link.
  retryFor: 10_000,
  async plan({ host, layout }) {
    const link = await primaryInterface(host, layout);
    if (link === undefined)
      throw new ProblemError({
        code: "no-ipv6-address",
        what: "there is no IPv6 address",
        found: "no Ethernet device in /sys/class/net",
        todo: "see the unit network",
      });
    const configured = (await readNetworkConf(host, layout)).ipv6_address?.split("/")[0];
    const wanted = configured === undefined ? undefined : canonicalIp(configured);
    if (wanted !== undefined && isLinkLocal(wanted)) return conflict(linkLocal(wanted));
    const addresses = await candidates(host, link, wanted);
    if (addresses.some(isUsable)) return [];
    if (wanted !== undefined && addresses.some((address) => address.duplicate)) {
      return conflict({
        code: "ipv6-address-taken",
        what: `the IPv6 address of ${link.name} is in use by another node`,
        found: `${wanted} failed duplicate address detection`,
        expected: "an address of this node alone",
        todo: "correct ipv6_address in network.conf, then: guestos-boot --unit network",
      });
    }
    const off = await ipv6Off(host, link.name);
    if (off !== undefined) throw isOff(link, off);
    if (!(await hasCarrier(host, link.name)))
      throw new ProblemError(noCarrier(link.name, "a link, then an IPv6 address", "then: guestos-boot --unit ipv6-monitor"), {
        retryable: true,
      });
    const reached = async (): Promise<boolean> => (await candidates(host, link, wanted)).some(isUsable);
    // networkd may still be soliciting routers or detecting duplicates: it is given time to finish.
    const settling = {
      within: SETTLING_TIME,
      reached: async (now: LinkDescription) => !isBusy(now) || (await reached()),
    };
    const [text, within] =
      wanted === undefined
        ? [`wait for an IPv6 address on ${link.name}, and send router solicitations if needed`, ANSWER_TIME]
        : [`wait for ${wanted} on ${link.name}`, DETECTION_TIME];
    return [
      activate(text, async () => {
        await waitForLink(host, link.index, settling);
        if (await reached()) return;
        if (wanted === undefined) await solicitRouters(host, link.name);
        if (!(await waitForLink(host, link.index, { within, reached })).reached) throw await noAddress(host, link, wanted);
      }),
    ];
  },
});

/** Time for one more router solicitation by networkd, and its answer (RFC 4861, 10: RTR_SOLICITATION_INTERVAL is four seconds). */
const SETTLING_TIME = 5_000;
/** RFC 4861, 10: MIN_DELAY_BETWEEN_RAS is 3 s, MAX_RA_DELAY_TIME 0.5 s; then comes the detection of duplicates. */
const ANSWER_TIME = 10_000;
/** Duplicate detection for an address that networkd has just set (RFC 4862, 5.4: a second, after a random delay of up to a second). */
const DETECTION_TIME = 5_000;

/** The acceptable addresses of the interface: all of them, or the wanted one alone. */
async function candidates(host: Host, { index }: NetworkInterface, wanted: string | undefined): Promise<readonly Ipv6Address[]> {
  const own = (await ipv6Addresses(host)).filter((address) => address.interfaceIndex === index);
  return wanted === undefined ? own : own.filter((address) => address.address === wanted);
}

function linkLocal(found: string): Problem {
  return {
    code: "ipv6-address-link-local",
    what: "ipv6_address in network.conf is not usable for a node",
    found: `${found}, a link-local address, which cannot be reached from outside the link`,
    expected: "a global address, or none for an automatic one",
    todo: "correct ipv6_address in network.conf, then: guestos-boot --unit network --unit ipv6-monitor",
  };
}

/** Retryable: if networkd finds IPv6 off, it turns it on when it configures the link. */
function isOff({ name }: NetworkInterface, found: string): ProblemError {
  return new ProblemError(
    {
      code: "ipv6-off",
      what: `IPv6 is disabled on ${name}`,
      found,
      expected: "IPv6 to be enabled",
      todo: `enable it, then: guestos-boot --unit ipv6-monitor`,
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
      code: "ipv6-address-absent",
      what: `${link.name} did not get its IPv6 address`,
      found,
      expected: wanted,
      todo: `guestos-boot --unit network; if that does not help: journalctl -b -u systemd-networkd`,
    });
  }
  return new ProblemError({
    code: "no-router-prefix",
    what: `no router advertised a prefix on ${link.name}`,
    found,
    expected: "a global IPv6 address by router advertisement",
    todo: `check the router (ndptool -i ${link.name} monitor shows what it sends), or set ipv6_address and ipv6_gateway in network.conf`,
  });
}
