import { boundaryNodeControlPlane } from "./boundary-node-control-plane.ts";
import { BUS_PATIENCE, systemBus } from "./system-bus.ts";
import { unit } from "../machine.ts";
import { planProgram } from "./program-service.ts";

/**
 * Afterwards ic-router-control-plane-watcher, if the image has it, passes the control plane's routes on to the router.
 *
 * It requires the bus, because it starts a service. It comes after the control plane, whose files it watches. The program waits for these
 * files itself, so a control plane that fails does not delay it. If it fails, the boot is degraded, as with the control plane. A conflict
 * means that systemd cannot start its service.
 */
export const icRouterControlPlaneWatcher = unit({
  name: "ic-router-control-plane-watcher",
  title: "Bring the registry's routes to the router",
  requires: [systemBus],
  after: [boundaryNodeControlPlane],
  owns: [
    "/run/ic-node/etc/default/ic-router-control-plane-watcher",
    "/run/guestos-boot/ic-router-control-plane-watcher.service.configured",
  ],
  onFailure: "degrade",
  ...BUS_PATIENCE,
  plan: async (machine) =>
    planProgram(machine, {
      name: "ic-router-control-plane-watcher",
      program: machine.layout.programs.icRouterControlPlaneWatcher,
      environment: { ROUTES_DIR: machine.layout.routes },
      does: "watch the routes of the control plane",
    }),
});
