import { dirname } from "node:path";
import { activate } from "../../boot/unit.ts";
import { refuseFindings } from "../../base/finding.ts";
import { ProblemError } from "../../base/problem.ts";
import { neighbourhood, readIcSettings } from "../../config/ic-config.ts";
import { fillJson5 } from "../../config/text/json5-template.ts";
import { splitPrefix } from "../../config/values/ip-address.ts";
import { ipv6Addresses, isUsable } from "../../system/network/network-interfaces.ts";
import { configInjection } from "./config-injection.ts";
import { type Machine, unit } from "../machine.ts";
import { networkApplied } from "../network/network.ts";
import { primaryInterface } from "../network/primary-interface.ts";
import { systemBus } from "../services/system-bus.ts";
import { besideNode } from "./vm-type.ts";

/**
 * Afterwards ic.json5, the configuration of the orchestrator and the replica, is the image's template with this node's values. An image
 * without a template has no such file, and nothing is missing then.
 *
 * It requires the injected configuration, and comes after the network: with an automatic address, the node's own network is known only
 * once a router has advertised it. If it fails, the boot is degraded, and the orchestrator is not started. There is no conflict: the file
 * is on a tmpfs, and is written again.
 */
export const icConfig = unit({
  name: "ic-config",
  title: "Write the orchestrator's configuration",
  absent: besideNode,
  requires: [configInjection],
  after: [systemBus, networkApplied],
  owns: ["/run/ic-node/config/ic.json5"],
  onFailure: "degrade",
  timeout: 330_000,
  // After a power cut, a node boots faster than its router.
  retryFor: 300_000,
  async plan(machine) {
    const { host, layout } = machine;
    const { template: source, file } = layout.icConfig;
    const template = await host.readText(source);
    if (template === undefined) return [];
    const { ipv6Address, values, findings } = await readIcSettings(host, layout);
    const address = ipv6Address === undefined ? await automaticAddress(machine) : splitPrefix(ipv6Address).address;
    const content = fillJson5(template, new Map([...values, ["ipv6_prefix", { text: neighbourhood(address) }]]), source);
    const facts = await host.stat(file);
    const stands = facts?.kind === "file" && facts.mode === MODE && facts.uid === 0 && (await host.readText(file)) === content;
    if (stands) {
      refuseFindings(layout.mountPoints.config, findings, { rest: "all other settings are in force", partial: true });
      return [];
    }
    return [
      activate(`write ${file} from ${source}`, async () => {
        await host.makeFolder(dirname(file), { mode: 0o755 });
        await host.writeFile(file, content, { mode: MODE, uid: 0, gid: 0 });
      }),
    ];
  },
});

/** The orchestrator, the replica and the adapters read it, each as an account of its own. */
const MODE = 0o644;

/** @throws ProblemError, retryable, while there is none */
async function automaticAddress({ host, layout }: Machine): Promise<string> {
  const link = await primaryInterface(host, layout);
  const found = (await ipv6Addresses(host)).find((address) => address.interfaceIndex === link?.index && isUsable(address));
  if (found !== undefined) return found.address;
  throw new ProblemError(
    {
      code: "ic-config-without-address",
      what: "the orchestrator's configuration needs this node's IPv6 network, which is not known",
      found: link === undefined ? "no network interface" : `no usable address on ${link.name}`,
      expected: "an address that a router advertises, or a fixed one in the configuration",
      todo: "see the unit ipv6-monitor; then: guestos-boot --unit ic-config",
    },
    { retryable: true },
  );
}
