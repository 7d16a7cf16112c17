import { join } from "node:path";
import type { Layout } from "../config/layout/layout.ts";

/** Where node_exporter's textfile collector finds the metrics. */
export function textfile({ collector }: Layout): string {
  return join(collector, "guestos-boot.prom");
}
