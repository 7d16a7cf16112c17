import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { exposition } from "./exposition.ts";
import { processSamples } from "./process-samples.ts";

/**
 * What the monitor's own endpoint serves: the textfile as it stands, which is written with every change, and the monitor itself.
 * Nothing is looked at anew: a scrape costs the node next to nothing, however often it comes.
 */
export async function endpointText(host: Host, layout: Layout): Promise<string> {
  const [node, monitor] = await Promise.all([host.readText(layout.textfile), exposition(await processSamples(host))]);
  return node === undefined ? monitor : `${node}\n${monitor}`;
}
