import { configInjection } from "../units/injection/config-injection.ts";
import { hostname } from "../units/identity/hostname.ts";
import { injectedData } from "../units/injection/injected-data.ts";
import { ipv6Monitor } from "../units/network/ipv6-monitor.ts";
import { journalbeat } from "../units/services/journalbeat.ts";
import { machineId } from "../units/identity/machine-id.ts";
import type { GuestUnit } from "../units/machine.ts";
import { mountBoot } from "../units/disks/mount-boot.ts";
import { networkCard } from "../units/network/network-card.ts";
import { network } from "../units/network/network.ts";
import { nftables } from "../units/network/nftables.ts";
import { nodeExporterKeys } from "../units/identity/node-exporter-keys.ts";
import { nodeExporter } from "../units/services/node-exporter.ts";
import { sshAccountKeys } from "../units/identity/ssh-account-keys.ts";
import { sshHostKeys } from "../units/identity/ssh-host-keys.ts";
import { storeKey } from "../units/disks/store-key.ts";
import { upgradeDataStore } from "../units/slots/upgrade-data-store.ts";
import { upgradeState } from "../units/slots/upgrade-state.ts";
import { varPartition } from "../units/disks/var.ts";
import { volumeFilesystems } from "../units/disks/volume-filesystems.ts";
import { volumeMounts } from "../units/disks/volume-mounts.ts";
import { volumes } from "../units/disks/volumes.ts";

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
  networkCard,
  network,
  hostname,
  ipv6Monitor,
  upgradeDataStore,
  nftables,
  journalbeat,
  nodeExporter,
];
