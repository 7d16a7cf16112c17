import type { Problem } from "../../base/problem.ts";

/** Problems that the network's units and checks report, worded once. */

export function noInterface(found = "no Ethernet device in /sys/class/net"): Problem {
  return {
    code: "no-network-interface",
    what: "there is no network interface to configure",
    found,
    expected: "an Ethernet device",
    todo: "check that the host gives the VM a network card, and that its driver is in the image (lspci -k)",
  };
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
