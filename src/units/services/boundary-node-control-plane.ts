import { readBnVars } from "../../config/bn-vars.ts";
import { readNnsConf } from "../../config/nns-conf.ts";
import { boundaryData } from "../injection/boundary-data.ts";
import { unit } from "../machine.ts";
import { network, networkApplied } from "../network/network.ts";
import { BUS_PATIENCE, systemBus } from "./system-bus.ts";
import { injectedPath, planProgram } from "./program-service.ts";

/**
 * Afterwards boundary-node-control-plane, if the image has it, learns from the network's registry which nodes exist.
 *
 * It requires the bus, because it starts a service, the network, and the injected data: an initial copy of the registry. If it fails, the
 * boot is degraded: the routes known before are still served. A conflict means that systemd cannot start its service.
 */
export const boundaryNodeControlPlane = unit({
  name: "boundary-node-control-plane",
  title: "Follow the network's registry",
  requires: [boundaryData, network, systemBus],
  after: [networkApplied],
  owns: ["/run/ic-node/etc/default/boundary-node-control-plane", "/run/guestos-boot/boundary-node-control-plane.service.configured"],
  onFailure: "degrade",
  ...BUS_PATIENCE,
  async plan(machine) {
    const { host, layout } = machine;
    const { nns_url } = await readNnsConf(host, layout);
    const { last_known_registry_version = "0" } = await readBnVars(host, layout);
    return planProgram(machine, {
      name: "boundary-node-control-plane",
      program: layout.programs.boundaryNodeControlPlane,
      environment: {
        NNS_URLS: nns_url.join(","),
        NNS_PUBLIC_KEY: await injectedPath(machine, "nns_public_key.pem"),
        MIN_REGISTRY_VERSION: last_known_registry_version,
        IC_REGISTRY_LOCAL_STORE: await injectedPath(machine, "ic_registry_local_store"),
      },
      does: `follow the registry at ${nns_url.join(" ")}`,
    });
  },
});
