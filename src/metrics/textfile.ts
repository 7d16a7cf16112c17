import { dirname } from "node:path";
import type { Layout } from "../config/layout/layout.ts";
import { groupNamed, readAccounts } from "../system/files/accounts.ts";
import type { Host } from "../system/host.ts";
import { exposition } from "./exposition.ts";
import type { Sample } from "./families.ts";
import { type FactSources, nodeFacts, type NodeFacts } from "./node-facts.ts";
import { hostSamples, nodeSamples } from "./node-samples.ts";

/** The group of the folder: node_exporter reads the files there, and no other account does. */
const READER = "node_exporter";

/**
 * Writes the current metrics, whole or not at all: node_exporter never reads half of them.
 *
 * @throws ProblemError and file system errors; no caller may fail because of them
 */
export async function writeTextfile(host: Host, layout: Layout, sources: FactSources): Promise<void> {
  await writeSamples(host, layout, layout.textfile, samplesOf(layout, await nodeFacts(host, layout, sources)));
}

/** A system with a HostOSConfig of its own is a host. */
function samplesOf({ hostosConfig }: Layout, facts: NodeFacts): readonly Sample[] {
  return hostosConfig === undefined ? nodeSamples(facts) : hostSamples(facts);
}

/** The same for other samples, in a file of their own in that folder. */
export async function writeSamples(host: Host, layout: Layout, file: string, samples: readonly Sample[]): Promise<void> {
  const text = await exposition(samples);
  await makeCollector(host, layout);
  await host.writeFile(file, text, { mode: 0o640 });
}

/**
 * A failed boot may end before systemd-tmpfiles, which otherwise makes the folder (etc/common/tmpfiles.d/guestos.conf); this makes it in
 * the same way. A new file in it gets the folder's group, because of the set-group-ID bit (inode(7)).
 */
async function makeCollector(host: Host, layout: Layout): Promise<void> {
  if ((await host.stat(layout.collector)) !== undefined) return;
  const gid = groupNamed(await readAccounts(host, layout.etc.folder), READER);
  await host.makeFolder(dirname(layout.collector), { mode: 0o755 });
  await host.makeFolder(layout.collector, { mode: 0o2750, uid: 0, gid });
}
