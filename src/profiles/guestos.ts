import { guestosLayout } from "../config/layout/layout.ts";
import type { Profile } from "./profile.ts";

/** A node of the network: encrypted disks, volumes, keys, network, firewall, metrics. */
export const guestos: Profile = {
  title: "a GuestOS",
  layout: guestosLayout,
  chain: async () => [
    (await import("../units/disks/mount-boot.ts")).mountBoot,
    (await import("../units/slots/upgrade-state.ts")).upgradeState,
    (await import("../units/identity/machine-id.ts")).machineId,
    (await import("../units/identity/ssh-host-keys.ts")).sshHostKeys,
    (await import("../units/identity/node-exporter-keys.ts")).nodeExporterKeys,
    (await import("../units/disks/store-key.ts")).storeKey,
    (await import("../units/disks/var.ts")).varPartition,
    (await import("../units/disks/volumes.ts")).volumes,
    (await import("../units/disks/volume-filesystems.ts")).volumeFilesystems,
    (await import("../units/disks/volume-mounts.ts")).volumeMounts,
    (await import("../units/injection/config-injection.ts")).configInjection,
    (await import("../units/injection/injected-data.ts")).injectedData,
    (await import("../units/identity/ssh-account-keys.ts")).sshAccountKeys,
    (await import("../units/network/network-card.ts")).networkCard,
    (await import("../units/network/network.ts")).network,
    (await import("../units/network/nftables.ts")).nftables,
    (await import("../units/identity/hostname.ts")).hostname,
    (await import("../units/slots/upgrade-data-store.ts")).upgradeDataStore,
    (await import("../units/disks/data-owners.ts")).dataOwners,
    (await import("../units/services/system-bus.ts")).systemBus,
    (await import("../units/network/network.ts")).networkApplied,
    (await import("../units/network/ipv6-monitor.ts")).ipv6Monitor,
    (await import("../units/network/nftables.ts")).nftablesNames,
    (await import("../units/services/journalbeat.ts")).journalbeat,
    (await import("../units/services/node-exporter.ts")).nodeExporter,
    (await import("../units/injection/ic-config.ts")).icConfig,
    (await import("../units/services/orchestrator.ts")).orchestrator,
  ],
  medium: async () => (await import("../medium/guestos-medium.ts")).guestosMedium,
  maintenance: async () => [
    (await import("../units/disks/data-growth.ts")).dataGrowth,
    (await import("../units/injection/backup-spool.ts")).backupSpool,
  ],
  watchers: async () => [
    { name: "ipv6-monitor", watch: (await import("../units/network/watch-addresses.ts")).watchAddresses, yields: true },
    { name: "nftables", watch: (await import("../units/network/watch-ruleset.ts")).watchRuleset },
    { name: "data-growth", watch: (await import("../units/disks/watch-data-space.ts")).watchDataSpace },
  ],
  atIntervals: ["backup-spool"],
  quick: async () => [(await import("../units/network/nftables.ts")).nftables],
};
