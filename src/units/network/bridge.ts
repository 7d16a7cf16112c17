import { join } from "node:path";
import { activate, type Action } from "../../boot/unit.ts";
import { ProblemError } from "../../base/problem.ts";
import { readHostosConfig } from "../../config/hostos-config.ts";
import { deterministicMac, SYSTEM_INDEX } from "../../config/values/deterministic-address.ts";
import { bridgeFiles, type BridgeOf, makeBridge, missingOfBridge } from "../../system/network/bridge.ts";
import { OUR_MARK } from "../../system/network/network-file.ts";
import { isNameFinal, type NetworkInterface } from "../../system/network/network-interfaces.ts";
import { hostosConfig } from "../injection/hostos-config.ts";
import { type Machine, unit } from "../machine.ts";
import { notReady } from "./link-problems.ts";
import { networkCard } from "./network-card.ts";
import { primaryCard } from "./primary-interface.ts";
import { whileUdevWorks } from "./while-udev-works.ts";

/**
 * Afterwards the network card of a HostOS is a port of its bridge, which the guest is on too, and both have the address (MAC) that is computed
 * for the host.
 *
 * It requires the host's configuration, which the address is computed from. The kernel makes the bridge at once, so that the unit `network`
 * has an interface to configure before systemd-networkd runs; the files tell networkd to keep it. There is no conflict: a card on another
 * bridge is moved, and another card on this one is taken off.
 */
export const bridge = unit({
  name: "bridge",
  title: "Make the bridge of the host and its guest",
  requires: [hostosConfig],
  owns: ["/run/systemd/network/20-*"],
  // Order only: a host that cannot record its card must still have a network.
  after: [networkCard],
  // udev is waited for while it has events. The kernel may tell it of the card a moment later.
  retryFor: 10_000,
  timeout: 300_000,
  async plan(machine) {
    const { host, layout } = machine;
    const wanted = await wantedBridge(machine);
    const files = bridgeFiles(wanted);
    const actions: Action[] = [];
    for (const name of ((await host.list(layout.networkd)) ?? []).filter((one) => one.startsWith("20-") && !files.has(one))) {
      const path = join(layout.networkd, name);
      if ((await host.readText(path))?.startsWith(OUR_MARK) === true)
        actions.push(activate(`remove ${path}, made for another card`, async () => host.remove(path)));
    }
    for (const [name, text] of files) {
      const path = join(layout.networkd, name);
      if ((await host.readText(path)) === text) continue;
      actions.push(
        activate(`write ${path}`, async () => {
          await host.makeFolder(layout.networkd, { mode: 0o755 });
          // networkd runs as a user of its own, and must be able to read it.
          await host.writeFile(path, text, { mode: 0o644 });
        }),
      );
    }
    const missing = await missingOfBridge(host, wanted);
    if (missing.length > 0)
      actions.push(
        activate(`put ${wanted.card} on the bridge ${wanted.bridge}: ${missing.join(", ")}`, async () => makeBridge(host, wanted)),
      );
    return actions;
  },
});

const NO_CARD = "see that the machine has a network card, and that its driver is in the image: lspci -k";

async function wantedBridge(machine: Machine): Promise<BridgeOf> {
  const { host, layout } = machine;
  const { file, config } = await readHostosConfig(host, layout);
  const { mgmt_mac, deployment_environment: environment } = config.icos_settings;
  if (layout.bridge === undefined || mgmt_mac === null || environment === "unknown")
    throw new ProblemError({
      code: "host-address-unknown",
      what: "the address of this host cannot be computed",
      where: { file },
      found: `mgmt_mac ${mgmt_mac ?? "null"}, deployment_environment ${environment}`,
      expected: "the MAC address of the BMC, and mainnet or testnet",
      todo: "correct it there, then: guestos-boot --unit bridge --unit network",
    });
  let card: NetworkInterface | undefined;
  const { found, isUdevBusy } = await whileUdevWorks(machine, "the network card", async () => {
    card = await primaryCard(host, layout);
    return card !== undefined && (await isNameFinal(host, card)) ? card : undefined;
  });
  if (found === undefined) throw notReady(card, isUdevBusy, { todo: NO_CARD });
  return { bridge: layout.bridge, card: found.name, mac: deterministicMac(mgmt_mac, environment, SYSTEM_INDEX.host) };
}
