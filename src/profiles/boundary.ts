import { boundaryData } from "../units/injection/boundary-data.ts";
import { boundaryNodeControlPlane } from "../units/services/boundary-node-control-plane.ts";
import { configInjection } from "../units/injection/config-injection.ts";
import { danted } from "../units/services/danted.ts";
import { hostname } from "../units/identity/hostname.ts";
import { icRouterControlPlaneWatcher } from "../units/services/ic-router-control-plane-watcher.ts";
import { icxProxy } from "../units/services/icx-proxy.ts";
import { ipv6Monitor } from "../units/network/ipv6-monitor.ts";
import { machineId } from "../units/identity/machine-id.ts";
import type { GuestUnit } from "../units/machine.ts";
import { mountBoot } from "../units/disks/mount-boot.ts";
import { networkCard } from "../units/network/network-card.ts";
import { network } from "../units/network/network.ts";
import { nginx } from "../units/services/nginx.ts";
import { nodeExporterKeys } from "../units/identity/node-exporter-keys.ts";
import { nodeExporter } from "../units/services/node-exporter.ts";
import { sshAccountKeys } from "../units/identity/ssh-account-keys.ts";
import { sshHostKeys } from "../units/identity/ssh-host-keys.ts";

/** The boot chain of a Boundary-GuestOS, in boot order: no encryption, no volumes, and what faces the public. */
export const boundary: readonly GuestUnit[] = [
  mountBoot,
  machineId,
  sshHostKeys,
  nodeExporterKeys,
  configInjection,
  boundaryData,
  sshAccountKeys,
  networkCard,
  network,
  hostname,
  ipv6Monitor,
  nodeExporter,
  nginx,
  boundaryNodeControlPlane,
  icRouterControlPlaneWatcher,
  icxProxy,
  danted,
];
