import { boundaryNodeControlPlane } from "./boundary-node-control-plane.ts";
import { systemBus } from "./system-bus.ts";
import { unit } from "../machine.ts";
import { planProgram } from "./program-service.ts";

/**
 * Afterwards ic-router-control-plane-watcher, if the image has it, brings what the control plane learns to the router.
 *
 * Needs the bus, because it starts a service, and after the control plane, whose files it watches; it waits for them by itself, so that a
 * control plane that fails holds up nothing. Degrades, as the control plane does. A conflict means that its unit may not be started.
 */
export const icRouterControlPlaneWatcher = unit({
  name: "ic-router-control-plane-watcher",
  title: "Bring the registry's routes to the router",
  requires: [systemBus],
  after: [boundaryNodeControlPlane],
  owns: ["/run/ic-node/etc/default/ic-router-control-plane-watcher"],
  onFailure: "degrade",
  timeout: 120_000,
  plan: async (machine) =>
    planProgram(machine, {
      name: "ic-router-control-plane-watcher",
      program: machine.layout.programs.icRouterControlPlaneWatcher,
      environment: { ROUTES_DIR: machine.layout.routes },
      does: "watch the routes of the control plane",
    }),
});
