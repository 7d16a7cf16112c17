import { configInjection } from "./config-injection.ts";
import { hostname } from "./hostname.ts";
import { injectedData } from "./injected-data.ts";
import { ipv6Monitor } from "./ipv6-monitor.ts";
import { journalbeat } from "./journalbeat.ts";
import { machineId } from "./machine-id.ts";
import type { GuestUnit } from "./machine.ts";
import { mountBoot } from "./mount-boot.ts";
import { network } from "./network.ts";
import { nftables } from "./nftables.ts";
import { nodeExporterKeys } from "./node-exporter-keys.ts";
import { nodeExporter } from "./node-exporter.ts";
import { sshAccountKeys } from "./ssh-account-keys.ts";
import { sshHostKeys } from "./ssh-host-keys.ts";
import { storeKey } from "./store-key.ts";
import { upgradeDataStore } from "./upgrade-data-store.ts";
import { upgradeState } from "./upgrade-state.ts";
import { varPartition } from "./var.ts";
import { volumeFilesystems } from "./volume-filesystems.ts";
import { volumeMounts } from "./volume-mounts.ts";
import { volumes } from "./volumes.ts";

/** The boot chain of a GuestOS, in boot order. The order is for readers: what runs when follows from what each unit requires. */
export const guestos: readonly GuestUnit[] = [
  mountBoot,
  upgradeState,
  machineId,
  sshHostKeys,
  nodeExporterKeys,
  storeKey,
  varPartition,
  volumes,
  volumeFilesystems,
  volumeMounts,
  configInjection,
  injectedData,
  sshAccountKeys,
  network,
  hostname,
  ipv6Monitor,
  upgradeDataStore,
  nftables,
  journalbeat,
  nodeExporter,
];
