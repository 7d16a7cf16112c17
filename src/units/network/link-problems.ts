import { type Problem, ProblemError } from "../../base/problem.ts";
import type { NetworkInterface } from "../../system/network/network-interfaces.ts";

/** Problems that the network's units and checks report, worded once. */

const NO_DEVICE = "no Ethernet device in /sys/class/net";

export function noInterface(found = NO_DEVICE): Problem {
  return {
    code: "no-network-interface",
    what: "there is no network interface to configure",
    found,
    expected: "an Ethernet device",
    todo: "check that the host gives the VM a network card, and that its driver is in the image (lspci -k)",
  };
}

/**
 * No interface under its final name, after a search while udev had events. If udev has none left, it is worth a try or two: the kernel may
 * still tell it of a card.
 */
export function notReady(link: NetworkInterface | undefined, isUdevBusy: boolean, other: Partial<Problem> = {}): ProblemError {
  const seen = link === undefined ? NO_DEVICE : `${link.name}, to which udev may still give another name`;
  const found = isUdevBusy ? `${seen}; udev did not get through its events in the time for it` : seen;
  return new ProblemError({ ...noInterface(found), ...other }, { retryable: !isUdevBusy });
}

/** @param then the operator's next step once the link has a carrier */
export function noCarrier(name: string, expected: string, then: string): Problem {
  return {
    code: "no-carrier",
    what: `${name} has no carrier`,
    found: "nothing at the other end of the link",
    expected,
    todo: `check the cable, or the host's bridge; ${then}`,
  };
}
