import { conflict } from "../../boot/unit.ts";
import { readBnVars, servedDomains } from "../../config/bn-vars.ts";
import { PROXY_ADDRESS } from "../../config/nginx-conf.ts";
import { readNnsConf } from "../../config/nns-conf.ts";
import { boundaryData } from "../injection/boundary-data.ts";
import { unit } from "../machine.ts";
import { network, networkApplied } from "../network/network.ts";
import { BUS_PATIENCE, systemBus } from "./system-bus.ts";
import { injectedPath, planProgram } from "./program-service.ts";

/**
 * Afterwards icx-proxy, if the image has it, turns requests to this node's domains into calls of canisters.
 *
 * It requires the bus, because it starts a service, the network, and the injected data. It gets no option by which it would accept a
 * connection that it cannot verify, whether or not the medium brought certificates. If it fails, the boot is degraded: nginx answers that
 * the server behind it cannot be reached. A conflict means that no domain is named, or that systemd cannot start its service.
 */
export const icxProxy = unit({
  name: "icx-proxy",
  title: "Translate requests into calls of canisters",
  requires: [boundaryData, network, systemBus],
  after: [networkApplied],
  owns: ["/run/ic-node/etc/default/icx-proxy", "/run/guestos-boot/icx-proxy.service.configured"],
  onFailure: "degrade",
  ...BUS_PATIENCE,
  async plan(machine) {
    const { host, layout } = machine;
    const domains = servedDomains(await readBnVars(host, layout));
    if (domains.length === 0) {
      return conflict({
        code: "no-canister-domain",
        what: "no domain is configured for icx-proxy",
        where: { file: layout.config.injected.bnVars },
        found: "neither system_domains nor application_domains",
        expected: "at least one of them",
        todo: "name the domains there",
      });
    }
    const { nns_url } = await readNnsConf(host, layout);
    return planProgram(machine, {
      name: "icx-proxy",
      program: layout.programs.icxProxy,
      environment: {
        ADDRESS: PROXY_ADDRESS,
        DOMAINS: domains.map((domain) => `--domain ${domain}`).join(" "),
        REPLICAS: nns_url.map((url) => `--replica ${url}`).join(" "),
        DENYLIST: await injectedPath(machine, "denylist.json"),
        PRE_ISOLATION_CANISTERS: await injectedPath(machine, "pre_isolation_canisters.txt"),
      },
      does: `call canisters for ${domains.join(" ")}`,
    });
  },
});
