import { unitsWith } from "../boot/graph.ts";
import { configFiles, guestosLayout, inSlot } from "../config/layout/layout.ts";
import type { Profile } from "./profile.ts";

const config = "/boot/config";

/** The machine on which a GuestOS runs, in a VM: volumes of one group, nothing encrypted, a bridge for both. */
export const hostos: Profile = {
  title: "a HostOS",
  layout: {
    ...guestosLayout,
    partitions: {
      ...guestosLayout.partitions,
      config: "hostlvm/config",
      boot: inSlot("hostlvm/{slot}_boot"),
      root: inSlot("hostlvm/{slot}_root"),
      var: inSlot("hostlvm/{slot}_var"),
    },
    config: { ...configFiles(config), accountKeys: `${config}/ssh_authorized_keys` },
    hostosConfig: `${config}/config.json`,
    bridge: "br6",
    volumes: [],
    medium: { ...guestosLayout.medium, guestosConfig: undefined },
  },
  chain: async () => {
    const { hostosConfig } = await import("../units/injection/hostos-config.ts");
    const { networkCard } = await import("../units/network/network-card.ts");
    const { bridge } = await import("../units/network/bridge.ts");
    const { network, networkApplied } = await import("../units/network/network.ts");
    const { nftables, nftablesNames } = await import("../units/network/nftables.ts");
    return unitsWith(
      [
        (await import("../units/disks/mount-boot.ts")).mountBoot,
        (await import("../units/slots/upgrade-state.ts")).upgradeState,
        (await import("../units/identity/machine-id.ts")).machineId,
        (await import("../units/identity/ssh-host-keys.ts")).sshHostKeys,
        (await import("../units/identity/node-exporter-keys.ts")).nodeExporterKeys,
        (await import("../units/disks/plain-var.ts")).plainVar,
        hostosConfig,
        (await import("../units/services/huge-pages.ts")).hugePages,
        (await import("../units/injection/guest-medium.ts")).guestMedium,
        (await import("../units/identity/ssh-account-keys.ts")).sshAccountKeys,
        networkCard,
        bridge,
        network,
        nftables,
        (await import("../units/identity/hostname.ts")).hostname,
        (await import("../units/services/system-bus.ts")).systemBus,
        networkApplied,
        (await import("../units/network/ipv6-monitor.ts")).ipv6Monitor,
        nftablesNames,
        (await import("../units/services/node-exporter.ts")).nodeExporter,
        (await import("../units/services/guest-vm.ts")).guestVm,
      ],
      new Map([
        // What a GuestOS takes from a medium, a HostOS has in a file.
        [(await import("../units/injection/config-injection.ts")).configInjection, [hostosConfig]],
        [(await import("../units/injection/vm-type.ts")).vmType, []],
      ]),
      // Its addresses are the bridge's.
      new Map([[network, [bridge]]]),
    );
  },
  // Its configuration comes with the installation.
  medium: async () => ({
    ...{ configFiles: new Map(), dataFiles: new Map(), trees: [], mounted: new Map() },
    ...{ home: ({ mountPoints }) => mountPoints.config, owner: "root", isSecret: () => true },
  }),
  maintenance: async () => [],
  watchers: async () => [
    { name: "ipv6-monitor", watch: (await import("../units/network/watch-addresses.ts")).watchAddresses, yields: true },
    { name: "nftables", watch: (await import("../units/network/watch-ruleset.ts")).watchRuleset },
  ],
  atIntervals: [],
  health: async () => (await import("./hostos-health.ts")).hostosHealth,
  quick: async () => [],
};
