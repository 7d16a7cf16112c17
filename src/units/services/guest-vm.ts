import { activate } from "../../boot/unit.ts";
import { hasJob, startInItsTurn, unitState } from "../../system/systemd/systemd.ts";
import { plainVar } from "../disks/plain-var.ts";
import { guestMedium } from "../injection/guest-medium.ts";
import { unit } from "../machine.ts";
import { network } from "../network/network.ts";
import { nftables } from "../network/nftables.ts";
import { hugePages } from "./huge-pages.ts";
import { BUS_PATIENCE, systemBus } from "./system-bus.ts";
import { notStartable } from "./not-startable.ts";

/**
 * Afterwards the service that keeps the guest's virtual machine running is started, or will be once guestos-boot.target is reached.
 *
 * It requires the bus, because it starts a service, and what the guest needs: its medium, the bridge, and /var, where its serial log is. It comes
 * after the firewall, and once its memory is reserved. The service is ordered after guestos-boot.target, which is reached only when this chain has ended. So its job is queued,
 * and not waited for.
 *
 * If it fails, the boot is degraded. A conflict means that an operator has masked the service, or that its unit file cannot be loaded.
 */
export const guestVm = unit({
  name: "guest-vm",
  title: "Start the guest's virtual machine",
  requires: [systemBus, guestMedium, network, plainVar],
  // Order only: without huge pages it is slower.
  after: [nftables, hugePages],
  onFailure: "degrade",
  ...BUS_PATIENCE,
  async plan({ host }) {
    const { load, active } = await unitState(host, SERVICE);
    if (load !== "loaded") return notStartable(SERVICE, load);
    if (STARTED.includes(active) || (await hasJob(host, SERVICE))) return [];
    return [activate(`queue the start of ${SERVICE}, which is ${active}`, async () => startInItsTurn(host, SERVICE))];
  },
});

const SERVICE = "guestos.service";
/** systemd starts it again by itself (Restart=), and is "activating" between two tries. */
const STARTED: readonly string[] = ["active", "activating", "reloading"];
