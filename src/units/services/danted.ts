import { conflict } from "../../boot/unit.ts";
import { readBnVars } from "../../config/bn-vars.ts";
import { dantedConf } from "../../config/danted-conf.ts";
import { checkDantedConf } from "../../system/danted.ts";
import { isInterface } from "../../system/network/network-interfaces.ts";
import { configInjection } from "../injection/config-injection.ts";
import { planConfiguredService, planUnconfiguredService } from "./configured-service.ts";
import { unit } from "../machine.ts";
import { network, networkApplied } from "../network/network.ts";
import { primaryInterface } from "../network/primary-interface.ts";
import { BUS_PATIENCE, systemBus } from "./system-bus.ts";

/**
 * Afterwards the machines in the networks that bn_vars.conf names, and no others, can use this node's SOCKS proxy. If it names none, no
 * proxy runs.
 *
 * It requires the bus, because it starts a service, the injected configuration, and the network. The proxy sends through the primary
 * interface, or through that of socks_interface. A changed list of networks takes effect by a reload. A configuration that danted refuses
 * does not replace the one in use. If it fails, the boot is degraded: clients that need no proxy are still served. A conflict means that
 * the interface does not exist, or that systemd cannot start danted.
 */
export const danted = unit({
  name: "danted",
  title: "Offer a SOCKS proxy",
  requires: [configInjection, network, systemBus],
  after: [networkApplied],
  owns: ["/run/ic-node/etc/danted.conf", "/run/ic-node/etc/danted.conf.new", "/run/guestos-boot/danted.service.configured"],
  onFailure: "degrade",
  timeout: BUS_PATIENCE.timeout,
  // An interface may get its address shortly after the network has been set up. One that never does must not hold up each boot for long; the
  // monitor goes on trying.
  retryFor: 20_000,
  repairs: true,
  async plan(machine) {
    const { host, layout } = machine;
    const vars = await readBnVars(host, layout);
    const clients = [...vars.ipv6_replica_ips, ...vars.ipv4_replica_ips];
    if (clients.length === 0) return planUnconfiguredService(machine, SERVICE, layout.danted, "no client network is configured");
    const outgoing = vars.socks_interface ?? (await primaryInterface(host, layout))?.name;
    if (outgoing === undefined || !(await isInterface(host, outgoing))) {
      return conflict({
        code: "proxy-without-interface",
        what: "the SOCKS proxy has no outgoing interface",
        where: { file: layout.config.injected.bnVars },
        found: outgoing === undefined ? "no Ethernet device in /sys/class/net" : `no interface ${outgoing}`,
        expected: "an existing interface (ip link), or no socks_interface, for the primary one",
        todo: "correct it there",
      });
    }
    return planConfiguredService(machine, {
      service: SERVICE,
      files: [{ path: layout.danted, content: dantedConf({ clients, outgoing }), mode: 0o644 }],
      renew: "reload",
      does: `relay ${clients.join(" ")} by ${outgoing}`,
      check: (path) => checkDantedConf(host, path),
    });
  },
});

const SERVICE = "danted.service";
