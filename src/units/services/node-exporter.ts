import { activate } from "../../boot/unit.ts";
import { runJob, unitState } from "../../system/systemd/systemd.ts";
import { unit } from "../machine.ts";
import { nodeExporterKeys } from "../identity/node-exporter-keys.ts";
import { BUS_PATIENCE, systemBus } from "./system-bus.ts";
import { notStartable } from "./not-startable.ts";

/**
 * Afterwards node_exporter serves metrics, over TLS, with the keys of this node.
 *
 * It requires the bus, because it starts a service, and the keys, without which the exporter would not start. New keys need no restart: the
 * exporter reads them again at every connection (prometheus/exporter-toolkit, web configuration). If it fails, the boot is degraded: a node
 * without metrics still works. A conflict means that the image has no such service, or that an operator has masked it.
 */
export const nodeExporter = unit({
  name: "node-exporter",
  title: "Serve metrics",
  requires: [nodeExporterKeys, systemBus],
  onFailure: "degrade",
  ...BUS_PATIENCE,
  async plan({ host }) {
    const { load, active } = await unitState(host, SERVICE);
    if (load !== "loaded") return notStartable(SERVICE, load);
    if (active === "active") return [];
    return [activate(`start ${SERVICE}, which is ${active}`, async () => runJob(host, "start", SERVICE))];
  },
});

const SERVICE = "node_exporter.service";
