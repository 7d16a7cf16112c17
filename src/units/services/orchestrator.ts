import { activate } from "../../boot/unit.ts";
import { hasJob, startInItsTurn, unitState } from "../../system/systemd/systemd.ts";
import { dataOwners } from "../disks/data-owners.ts";
import { icConfig } from "../injection/ic-config.ts";
import { unit } from "../machine.ts";
import { nftables } from "../network/nftables.ts";
import { BUS_PATIENCE, systemBus } from "./system-bus.ts";
import { notStartable } from "./not-startable.ts";
import { besideNode } from "../injection/vm-type.ts";

/**
 * Afterwards the node's orchestrator runs, or will once guestos-boot.target is reached. An image without one has nothing missing.
 *
 * It requires the bus, because it starts a service, and what the orchestrator reads: its configuration, and data that belong to it. It
 * comes after the firewall. The service is ordered after guestos-boot.target (etc/guestos/systemd/system/ic-replica.service.d), which is
 * reached only when this chain has ended. So its job is queued, and not waited for: to wait for it would be to wait for this unit itself.
 *
 * If it fails, the boot is degraded. A conflict means that an operator has masked the service, or that its unit file cannot be loaded.
 */
export const orchestrator = unit({
  name: "orchestrator",
  title: "Start the orchestrator",
  absent: besideNode,
  requires: [systemBus, icConfig, dataOwners],
  after: [nftables],
  onFailure: "degrade",
  ...BUS_PATIENCE,
  async plan({ host }) {
    const { load, active } = await unitState(host, SERVICE);
    if (load === "not-found") return [];
    if (load !== "loaded") return notStartable(SERVICE, load);
    if (STARTED.includes(active) || (await hasJob(host, SERVICE))) return [];
    return [activate(`queue the start of ${SERVICE}, which is ${active}`, async () => startInItsTurn(host, SERVICE))];
  },
});

const SERVICE = "ic-replica.service";
/** systemd starts it again by itself (Restart=), and is "activating" between two tries. */
const STARTED: readonly string[] = ["active", "activating", "reloading"];
