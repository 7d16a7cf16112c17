import { join } from "node:path";
import type { Layout } from "../config/layout/layout.ts";
import { readNodeCard } from "../config/state/network-card.ts";
import { bootId } from "../system/boot-id.ts";
import type { Host } from "../system/host.ts";
import { isBusy, type LinkDescription } from "../system/network/link-description.ts";
import { ipv6Addresses, isUsable, type NetworkInterface, networkInterfaces } from "../system/network/network-interfaces.ts";
import { describeLink } from "../system/network/networkd.ts";
import { isServiceRunning } from "../system/systemd/systemd.ts";
import { noCarrier, noInterface } from "../units/network/link-problems.ts";
import { isNodeCard, primaryInterface } from "../units/network/primary-interface.ts";
import { type Check, type Finding, notice, wrong } from "./check.ts";

const NETWORKD = "systemd-networkd.service";

/**
 * The units check files, and whether their content is in force. Only networkd knows whether the files are applied, and with what success.
 */
export const networkCheck: Check = {
  name: "network",
  title: "systemd-networkd runs, and has configured the primary interface",
  seen: "networkctl status",
  async inspect({ layout }, host) {
    const link = await primaryInterface(host, layout);
    if (link === undefined) {
      return {
        fact: "no interface",
        findings: wrong("ls -l /sys/class/net", noInterface()),
      };
    }
    if (!(await isServiceRunning(host, NETWORKD))) {
      return {
        fact: "systemd-networkd does not run",
        findings: wrong(`systemctl status ${NETWORKD}`, {
          code: "networkd-not-running",
          what: `${link.name} is not configured: systemd-networkd does not run`,
          todo: `systemctl start ${NETWORKD}`,
        }),
      };
    }
    const described = await describeLink(host, link.index);
    const automatic = (await ipv6Addresses(host))
      .filter((address) => address.interfaceIndex === link.index && isUsable(address))
      .map(({ address, prefixLength }) => `${address}/${prefixLength}`);
    const unused = (await networkInterfaces(host)).filter(({ index }) => index !== link.index).map(({ name }) => name);
    const addresses = [...new Set([...described.static.addresses, ...automatic])];
    return {
      fact: `${link.name} is ${described.operationalState}: ${addresses.join(" ") || "no address"}${unused.length === 0 ? "" : `; not used: ${unused.join(" ")}`}`,
      findings: [
        ...judgeLink(link.name, described, join(layout.networkd, `10-${link.name}.network`)),
        ...(await cardFindings(host, layout, link)),
      ],
    };
  },
};

/** A change of card is reported during the boot in which it was made. */
async function cardFindings(host: Host, layout: Layout, { name }: NetworkInterface): Promise<readonly Finding[]> {
  const files = [layout.config.networkCard, layout.runFiles.networkCard];
  for (const file of files) {
    const decided = await readNodeCard(host, file);
    if (!isNodeCard(decided) || decided.bootId !== (await bootId(host))) continue;
    const { insteadOf, because } = decided;
    const todo = `if it is the wrong one: docs/operator.md, "The network card"`;
    if (insteadOf !== undefined) {
      return notice(`cat ${file}`, {
        code: "network-card-exchanged",
        what: `the node's network card was replaced: it is ${name} since this boot`,
        found: `${insteadOf.name} (${insteadOf.mac ?? insteadOf.path}) is not there any more`,
        todo,
      });
    }
    if (because !== "name" && because !== "nothing") return [];
    return notice(`cat ${file}`, {
      code: "network-card-by-name",
      what: `${name} was chosen as the node's network card by its name alone`,
      found: because === "name" ? "several cards with a carrier, and a router on none or several of them" : "no card with a carrier",
      todo,
    });
  }
  return [];
}

/** @param file the .network file that the chain wrote for it */
export function judgeLink(name: string, link: LinkDescription, file: string): readonly Finding[] {
  const seen = `networkctl status ${name}`;
  const { administrativeState: state, networkFile } = link;
  if (!link.hasCarrier) {
    return wrong(seen, noCarrier(name, "a link", "the addresses come by themselves then"));
  }
  if (networkFile !== file) {
    return wrong(seen, {
      code: "link-configured-otherwise",
      what: `${name} is not configured by the file that was made for it`,
      found: networkFile ?? "no file",
      expected: file,
      todo: "guestos-boot --unit network",
    });
  }
  if (state === "configured") return [];
  return wrong(seen, {
    code: "link-not-configured",
    what: isBusy(link) ? `systemd-networkd is not done with ${name}` : `systemd-networkd could not configure ${name}`,
    found: state,
    expected: "configured",
    todo: isBusy(link)
      ? "check again in half a minute; if it stays: journalctl -b -u systemd-networkd"
      : `journalctl -b -u systemd-networkd; then: networkctl reconfigure ${name}`,
  });
}
