import { join } from "node:path";
import type { LinkDescription } from "../system/network/link-description.ts";
import { ipv6Addresses, isUsable, primaryInterface } from "../system/network/network-interfaces.ts";
import { describeLink } from "../system/network/networkd.ts";
import { isServiceRunning } from "../system/systemd/systemd.ts";
import { type Check, type Finding, wrong } from "./check.ts";

const NETWORKD = "systemd-networkd.service";

/** The units look at files, and at what of them is in force. Whether anybody applies them, and with what success, networkd says. */
export const networkCheck: Check = {
  name: "network",
  title: "systemd-networkd runs, and has configured the primary interface",
  seen: "networkctl status",
  within: 30_000,
  async look({ layout }, host) {
    const link = await primaryInterface(host);
    if (link === undefined) {
      return {
        fact: "no interface",
        findings: [
          wrong("ls -l /sys/class/net", {
            what: "there is no network interface",
            found: "no Ethernet device in /sys/class/net",
            todo: "check that the host gives the VM a network card, and that its driver is in the image (lspci -k)",
          }),
        ],
      };
    }
    if (!(await isServiceRunning(host, NETWORKD))) {
      return {
        fact: "systemd-networkd does not run",
        findings: [
          wrong(`systemctl status ${NETWORKD}`, {
            what: `nobody configures ${link.name}: systemd-networkd does not run`,
            todo: `systemctl start ${NETWORKD}`,
          }),
        ],
      };
    }
    const described = await describeLink(host, link.index);
    const automatic = (await ipv6Addresses(host))
      .filter((address) => address.interfaceIndex === link.index && isUsable(address))
      .map(({ address, prefixLength }) => `${address}/${prefixLength}`);
    const addresses = [...new Set([...described.static.addresses, ...automatic])];
    return {
      fact: `${link.name} is ${described.operationalState}: ${addresses.join(" ") || "no address"}`,
      findings: judgeLink(link.name, described, join(layout.networkd, `10-${link.name}.network`)),
    };
  },
};

/** States of a link in which networkd is not done with it (networkctl(1)): for a moment only, as long as all goes well. */
const BUSY: readonly string[] = ["pending", "initialized", "configuring"];

/** @param file the .network file that the chain wrote for it */
export function judgeLink(name: string, link: LinkDescription, file: string): readonly Finding[] {
  const seen = `networkctl status ${name}`;
  const { administrativeState: state, networkFile } = link;
  if (!link.hasCarrier) {
    return [
      wrong(seen, {
        what: `${name} has no carrier`,
        found: "nothing at the other end of the link",
        todo: "check the cable, or the host's bridge; the addresses come by themselves then",
      }),
    ];
  }
  if (networkFile !== file) {
    return [
      wrong(seen, {
        what: `${name} is not configured by the file that was made for it`,
        found: networkFile ?? "no file",
        expected: file,
        todo: "guestos-boot --unit network",
      }),
    ];
  }
  if (state === "configured") return [];
  return [
    wrong(seen, {
      what: BUSY.includes(state) ? `systemd-networkd is not done with ${name}` : `systemd-networkd could not configure ${name}`,
      found: state,
      expected: "configured",
      todo: BUSY.includes(state)
        ? "look again in half a minute; if it stays: journalctl -b -u systemd-networkd"
        : `journalctl -b -u systemd-networkd; then: networkctl reconfigure ${name}`,
    }),
  ];
}
