import { basename } from "node:path";
import { type MonitorState, readMonitorState } from "../config/state/monitor-state.ts";
import { parseRecord, type ReadRecord } from "../boot/record/read-record.ts";
import { type Intent, readIntent } from "../config/state/intent.ts";
import { readLoadedRuleset } from "../config/state/loaded-ruleset.ts";
import type { Layout } from "../config/layout/layout.ts";
import { findPartition } from "../system/disks/block-devices.ts";
import { jsonIn } from "../base/json.ts";
import type { Host } from "../system/host.ts";
import { type StartUp, startUp } from "../system/systemd/boot-clocks.ts";
import { requireMounted } from "../system/disks/mounts.ts";
import { ProblemError } from "../base/problem.ts";
import * as z from "../base/schema.ts";
import { inspect } from "../upgrade/situation.ts";
import { readRefusedImages } from "../upgrade/slot-state.ts";
import type { UpgradeFacts } from "./upgrade-samples.ts";

export type Source = "record" | "slots" | "intents" | "data" | "monitor" | "systemd";
export type IntentPhase = Intent["phase"] | "unreadable";

/** The facts behind the metrics of a node. An `undefined` fact does not exist, or could not be read: `unreadable` says which. */
export interface NodeFacts {
  /** That of the image. */
  readonly version: string | undefined;
  /** Of the config.json in force. */
  readonly config: ConfigFacts | undefined;
  readonly record: ReadRecord | undefined;
  readonly upgrade: UpgradeFacts | undefined;
  readonly intents: Readonly<Record<IntentPhase, number>> | undefined;
  readonly hasOperatorKey: boolean | undefined;
  readonly monitor: MonitorState | undefined;
  /** When the firewall's rules were last loaded, in seconds since the epoch, as the unit has noted it. */
  readonly rulesetLoaded: number | undefined;
  readonly startUp: StartUp | undefined;
  readonly unreadable: ReadonlySet<Source>;
}

/** Of a config.json. */
export interface ConfigFacts {
  /** `unknown` where it has none that can be used. */
  readonly version: string;
  /** Whether it asks for a trusted execution environment. */
  readonly wantsTee: boolean;
}

/** Files of the program's own, which may be missing. */
export interface FactSources {
  /** The boot's record. */
  readonly recordFile: string;
  /** The monitor's last state. */
  readonly monitorFile: string;
}

/** Reads the facts; starts no process and changes nothing. A source that cannot be read affects only its own metrics. */
export async function nodeFacts(host: Host, layout: Layout, { recordFile, monitorFile }: FactSources): Promise<NodeFacts> {
  const unreadable = new Set<Source>();
  const from = async <T>(source: Source, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch {
      unreadable.add(source);
      return undefined;
    }
  };
  const [version, config, record, upgrade, intents, hasOperatorKey, monitorState, ruleset, started] = await Promise.all([
    host.readText(layout.versionFile).catch(() => undefined),
    configFacts(host, layout).catch(() => undefined),
    from("record", async () => recordIn(host, recordFile)),
    from("slots", async () => upgradeFacts(host, layout)),
    from("intents", async () => intentsIn(host, layout)),
    from("data", async () => operatorKeyIn(host, layout)),
    from("monitor", async () => readMonitorState(host, monitorFile)),
    readLoadedRuleset(host, layout).catch(() => undefined),
    from("systemd", async () => startUp(host)),
  ]);
  return {
    ...{ version: version?.trim(), config, record, upgrade, intents, hasOperatorKey, monitor: monitorState },
    ...{ rulesetLoaded: ruleset?.loaded, startUp: started, unreadable },
  };
}

/** The values of config.json that are metrics: the whole schema takes memory that the monitor does not have. */
const Versioned = z.object({ config_version: z.string().check(z.regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/)) });
const Confidential = z.object({ icos_settings: z.object({ enable_trusted_execution_environment: z.literal(true) }) });

async function configFacts(host: Host, layout: Layout): Promise<ConfigFacts | undefined> {
  const text = await host.readText(layout.guestosConfig);
  if (text === undefined) return undefined;
  const value = jsonIn(text);
  return { version: Versioned.safeParse(value).data?.config_version ?? "unknown", wantsTee: Confidential.safeParse(value).success };
}

async function recordIn(host: Host, file: string): Promise<ReadRecord | undefined> {
  const text = await host.readText(file);
  return text === undefined ? undefined : withoutMonitor(parseRecord(text, file));
}

/** The monitor's runs are not part of the boot. The oldest of them are dropped, so a counter over them would go down. */
function withoutMonitor(record: ReadRecord): ReadRecord {
  let isMonitor = false;
  const events = record.events.filter((event) => {
    if (event.event === "run-started") isMonitor = event.run.monitor === true;
    return !isMonitor;
  });
  return { ...record, events, runs: record.runs.filter(({ facts }) => facts.monitor !== true) };
}

async function upgradeFacts(host: Host, layout: Layout): Promise<UpgradeFacts> {
  await requireMounted(host, layout.mountPoints.config);
  await requireMounted(host, layout.mountPoints.grub);
  const seen = await inspect(host, layout);
  const refused = await readRefusedImages(host, layout);
  const boot = await findPartition(host, layout.partitions.boot(seen.situation.running)).catch(() => undefined);
  return { seen, refusedImages: refused.length, bootDevice: boot?.device };
}

async function intentsIn(host: Host, layout: Layout): Promise<Readonly<Record<IntentPhase, number>>> {
  await requireMounted(host, layout.mountPoints.config);
  const folder = layout.config.intents;
  const counts: Record<IntentPhase, number> = { begun: 0, complete: 0, unreadable: 0 };
  for (const file of (await host.list(folder)) ?? []) {
    if (!file.endsWith(".json") || file.startsWith(".")) continue;
    counts[await phaseOf(host, folder, basename(file, ".json"))] += 1;
  }
  return counts;
}

async function phaseOf(host: Host, folder: string, name: string): Promise<IntentPhase> {
  try {
    return (await readIntent(host, folder, name))?.phase ?? "unreadable";
  } catch (error) {
    if (error instanceof ProblemError) return "unreadable";
    throw error;
  }
}

/** The place that IC-OS reads: any regular file of that name. */
async function operatorKeyIn(host: Host, layout: Layout): Promise<boolean> {
  await requireMounted(host, layout.mountPoints.data);
  return (await host.stat(layout.operatorKey))?.kind === "file";
}
