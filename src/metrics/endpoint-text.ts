import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { exposition } from "./exposition.ts";
import { processSamples } from "./process-samples.ts";

/**
 * The response of the monitor's own endpoint: the current textfile, which is rewritten with every change, and the monitor's process
 * metrics. The node is not inspected again, so a scrape costs next to nothing, however frequent.
 */
export async function endpointText(host: Host, layout: Layout): Promise<string> {
  const [node, monitor] = await Promise.all([host.readText(layout.textfile), exposition(await processSamples(host))]);
  return node === undefined ? monitor : `${node}\n${monitor}`;
}
