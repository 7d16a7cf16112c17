import { join } from "node:path";
import { activate } from "../../boot/unit.ts";
import { ProblemError } from "../../base/problem.ts";
import { readHostosConfig } from "../../config/hostos-config.ts";
import { addressInPrefix, deterministicMac, SYSTEM_INDEX } from "../../config/values/deterministic-address.ts";
import { askPorts, chosenPort, type Port, portsVerdict, triedText } from "../../setupos/ports.ts";
import { refuseProblems } from "../../setupos/several-problems.ts";
import { networkFile } from "../../system/network/network-file.ts";
import type { GatewayQuestion } from "../../system/network/try-port.ts";
import { type Machine, unit } from "../machine.ts";
import { checkConfig } from "./check-config.ts";
import { checksLeftOut } from "./stick.ts";

/** Those of IC-OS (dfinity/ic, rs/ic_os/networking/network/src/systemd.rs). */
const NAME_SERVERS = ["2606:4700:4700::1111", "2606:4700:4700::1001", "2001:4860:4860::8888", "2001:4860:4860::8844"];

/**
 * Afterwards the gateway has answered on a network port, and systemd-networkd has a configuration for that port, with the installer's address.
 *
 * Ports with a link are tried first, the fastest of them first, up to the first that is answered; what came of each is noted. The network comes
 * up once the file is there (guestos-network.path). Where no gateway answers, it is said for each port why. A node with IPv4 needs an answer of that gateway on the same
 * port; the installer itself uses IPv6 alone.
 */
export const checkNetwork = unit({
  name: "check-network",
  title: "Find the network port on which the gateway answers",
  requires: [checkConfig],
  owns: ["/run/systemd/network/10-*.network"],
  // A minute a port.
  timeout: 1_800_000,
  absent: checksLeftOut,
  async plan(machine) {
    const { host, layout, note } = machine;
    const files = (await host.list(layout.networkd)) ?? [];
    if (files.some((name) => /^10-.*\.network$/.test(name))) return [];
    const question = await questionOf(machine);
    const asked = [question.gateway, ...(question.ipv4 === undefined ? [] : [question.ipv4.gateway])];
    return [
      activate(`ask ${asked.join(" and ")} on each network port, and configure the first on which it answers`, async () => {
        const ports = await askPorts(host, question, true);
        for (const port of ports.filter(({ isCandidate }) => isCandidate)) note(portText(port));
        const { mistakes, unknown } = portsVerdict(ports, { ipv6: question.gateway, ipv4: question.ipv4?.gateway });
        refuseProblems("the network cannot be used", [...mistakes, ...unknown]);
        const chosen = chosenPort(ports);
        if (chosen === undefined) throw new Error("no port answered, and nothing is wrong");
        const settings = { addresses: [`${question.address}/64`], gateways: [question.gateway], nameServers: NAME_SERVERS, domains: [] };
        await host.makeFolder(layout.networkd, { mode: 0o755 });
        await host.writeFile(
          join(layout.networkd, `10-${chosen.port.name}.network`),
          networkFile(chosen.port.name, { ...settings, acceptRouterAdvertisements: false }, "stick"),
          { mode: 0o644 },
        );
      }),
    ];
  },
});

function portText({ port, hasLink, speed, tried }: Port): string {
  return `port ${port.name}: ${hasLink ? "link" : "no link"}, ${speed === undefined ? "speed not known" : `${speed} Mb/s`}, gateway ${triedText(tried)}`;
}

async function questionOf({ host, layout }: Machine): Promise<GatewayQuestion> {
  const { config } = await readHostosConfig(host, layout);
  const { mgmt_mac, deployment_environment: environment } = config.icos_settings;
  const { ipv6_config: ipv6, ipv4_config: ipv4 } = config.network_settings;
  if (mgmt_mac !== null && environment !== "unknown" && ipv6.kind === "Deterministic" && ipv6.gateway !== null) {
    const address = addressInPrefix(ipv6.prefix, deterministicMac(mgmt_mac, environment, SYSTEM_INDEX.setup));
    if (address !== undefined)
      return {
        ...{ address, gateway: ipv6.gateway },
        ipv4: ipv4 === null ? undefined : { address: ipv4.address, prefixLength: ipv4.prefix_length, gateway: ipv4.gateway },
      };
  }
  throw new ProblemError({
    code: "installer-address-unknown",
    what: "the installer's address is not known",
    expected: "prefix, gateway and BMC",
  });
}
