import { guestosLayout } from "../config/layout/layout.ts";
import type { Profile } from "./profile.ts";

/** A boundary node, which serves the public: no encryption, no volumes; nginx, the programs behind it, and a SOCKS proxy. */
export const boundary: Profile = {
  title: "a Boundary-GuestOS",
  // Its hosts hand over the files of old alone.
  layout: { ...guestosLayout, volumes: [], medium: { ...guestosLayout.medium, guestosConfig: undefined } },
  chain: async () => [
    (await import("../units/disks/mount-boot.ts")).mountBoot,
    (await import("../units/identity/machine-id.ts")).machineId,
    (await import("../units/identity/ssh-host-keys.ts")).sshHostKeys,
    (await import("../units/identity/node-exporter-keys.ts")).nodeExporterKeys,
    (await import("../units/injection/config-injection.ts")).configInjection,
    (await import("../units/injection/boundary-data.ts")).boundaryData,
    (await import("../units/identity/ssh-account-keys.ts")).sshAccountKeys,
    (await import("../units/network/network-card.ts")).networkCard,
    (await import("../units/network/network.ts")).network,
    (await import("../units/identity/hostname.ts")).hostname,
    (await import("../units/services/system-bus.ts")).systemBus,
    (await import("../units/network/network.ts")).networkApplied,
    (await import("../units/network/ipv6-monitor.ts")).ipv6Monitor,
    (await import("../units/services/node-exporter.ts")).nodeExporter,
    (await import("../units/services/nginx.ts")).nginx,
    (await import("../units/services/boundary-node-control-plane.ts")).boundaryNodeControlPlane,
    (await import("../units/services/ic-router-control-plane-watcher.ts")).icRouterControlPlaneWatcher,
    (await import("../units/services/icx-proxy.ts")).icxProxy,
    (await import("../units/services/danted.ts")).danted,
  ],
  medium: async () => (await import("../medium/boundary-medium.ts")).boundaryMedium,
  maintenance: async () => [],
  watchers: async () => [
    { name: "ipv6-monitor", watch: (await import("../units/network/watch-addresses.ts")).watchAddresses, yields: true },
    { name: "nginx", watch: (await import("../units/services/watch-inputs.ts")).watchNginxInputs },
    { name: "danted", watch: (await import("../units/services/watch-inputs.ts")).watchDantedInputs },
  ],
  atIntervals: [],
  health: async () => [],
  quick: async () => [],
};
