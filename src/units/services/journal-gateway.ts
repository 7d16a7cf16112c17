import { activate } from "../../boot/unit.ts";
import { runJob, unitState } from "../../system/systemd/systemd.ts";
import { configInjection } from "../injection/config-injection.ts";
import { unit } from "../machine.ts";
import { nftables, nftablesNames } from "../network/nftables.ts";
import { notStartable } from "./not-startable.ts";
import { BUS_PATIENCE, systemBus } from "./system-bus.ts";

/**
 * Afterwards the journal can be pulled over HTTP, port 19531 (systemd-journal-gatewayd(8)), on a node of today's hosts: these hand over
 * config.json, and no address to which logs are sent. The program itself is started by the first connection.
 *
 * It requires the bus, because it starts a service, and the firewall's rules, which alone decide who may connect: it has no TLS, and asks
 * for no password. The image's own rules admit no one. If it fails, the boot is degraded. A conflict means that an operator has masked the
 * socket. An image without it has nothing missing.
 */
export const journalGateway = unit({
  name: "journal-gateway",
  title: "Let the journal be pulled",
  requires: [systemBus, configInjection, nftables],
  after: [nftablesNames],
  onFailure: "degrade",
  ...BUS_PATIENCE,
  async plan({ host, layout, note }) {
    if ((await host.stat(layout.guestosConfig)) === undefined) return [];
    const { load, active } = await unitState(host, SOCKET);
    if (load === "not-found") {
      note(`absent: this image has no ${SOCKET}`);
      return [];
    }
    if (load !== "loaded") return notStartable(SOCKET, load);
    if (active === "active") return [];
    return [activate(`start ${SOCKET}, which is ${active}`, async () => runJob(host, "start", SOCKET))];
  },
});

const SOCKET = "systemd-journal-gatewayd.socket";
