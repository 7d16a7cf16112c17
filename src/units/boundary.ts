import { boundaryData } from "./boundary-data.ts";
import { boundaryNodeControlPlane } from "./boundary-node-control-plane.ts";
import { configInjection } from "./config-injection.ts";
import { danted } from "./danted.ts";
import { hostname } from "./hostname.ts";
import { icRouterControlPlaneWatcher } from "./ic-router-control-plane-watcher.ts";
import { icxProxy } from "./icx-proxy.ts";
import { ipv6Monitor } from "./ipv6-monitor.ts";
import { machineId } from "./machine-id.ts";
import type { GuestUnit } from "./machine.ts";
import { mountBoot } from "./mount-boot.ts";
import { network } from "./network.ts";
import { nginx } from "./nginx.ts";
import { nodeExporterKeys } from "./node-exporter-keys.ts";
import { nodeExporter } from "./node-exporter.ts";
import { sshAccountKeys } from "./ssh-account-keys.ts";
import { sshHostKeys } from "./ssh-host-keys.ts";

/** The boot chain of a Boundary-GuestOS, in boot order: no encryption, no volumes, and what faces the public. */
export const boundary: readonly GuestUnit[] = [
  mountBoot,
  machineId,
  sshHostKeys,
  nodeExporterKeys,
  configInjection,
  boundaryData,
  sshAccountKeys,
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
