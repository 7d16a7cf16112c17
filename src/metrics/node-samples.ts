import { bootSamples } from "./boot-samples.ts";
import { families, type Family, type Sample, sample } from "./families.ts";
import { monitorSamples } from "./monitor-samples.ts";
import type { StartUp } from "../system/systemd/boot-clocks.ts";
import type { ConfigFacts, NodeFacts, Source } from "./node-facts.ts";
import { unitWork } from "./unit-work.ts";
import { upgradeSamples } from "./upgrade-samples.ts";

const SOURCES = ["record", "slots", "intents", "data", "monitor", "systemd"] satisfies readonly Source[];
/** The unit that loads the firewall's rules; its actions do nothing else. */
const RULESET_UNIT = "nftables";

/** What a HostOS has always called what is the same on both. */
const OF_HOST = new Map<Family, Family>([
  [families.version, families.hostVersion],
  [families.bootAction, families.hostBootAction],
  [families.bootStable, families.hostBootStable],
]);

/** All samples of a HostOS's metrics. */
export function hostSamples(facts: NodeFacts): readonly Sample[] {
  return nodeSamples(facts).map((one) => ({ ...one, family: OF_HOST.get(one.family) ?? one.family }));
}

/** All samples of a node's metrics. */
export function nodeSamples(facts: NodeFacts): readonly Sample[] {
  const { record, upgrade, intents, hasOperatorKey, monitor, config } = facts;
  const version = facts.version ?? "unknown";
  const first = record?.runs[0];
  const loaded = facts.rulesetLoaded ?? (record === undefined ? undefined : unitWork(record.events).get(RULESET_UNIT)?.lastAction);
  return [
    sample(families.version, facts.version !== undefined, { version }),
    ...(config === undefined ? [] : configSamples(config)),
    ...(facts.startUp === undefined ? [] : startUpSamples(facts.startUp)),
    ...(upgrade === undefined ? [] : upgradeSamples(upgrade, version, first === undefined ? undefined : Date.parse(first.time) / 1000)),
    ...(hasOperatorKey === undefined ? [] : [sample(families.operatorKey, hasOperatorKey)]),
    ...(record === undefined ? [] : bootSamples(record)),
    ...Object.entries(intents ?? {}).map(([phase, count]) => sample(families.intents, count, { phase })),
    ...(monitor === undefined ? [] : monitorSamples(monitor)),
    ...(loaded === undefined ? [] : [sample(families.rulesetLoaded, loaded)]),
    ...SOURCES.map((source) => sample(families.sourceReadable, !facts.unreadable.has(source), { source })),
  ];
}

function configSamples({ version, wantsTee }: ConfigFacts): readonly Sample[] {
  return [
    sample(families.configVersion, true, { version }),
    sample(families.teeConfigured, wantsTee),
    sample(families.setupHostname, false),
  ];
}

function startUpSamples({ kernel, userspace, total, services, confidential }: StartUp): readonly Sample[] {
  return [
    sample(families.bootKernel, kernel),
    ...(userspace === undefined ? [] : [sample(families.bootUserspace, userspace)]),
    ...(total === undefined ? [] : [sample(families.bootTotal, total)]),
    ...[...services].map(([unit, seconds]) => sample(families.bootService, seconds, { unit })),
    ...(confidential === undefined ? [] : [sample(families.teeActive, confidential)]),
  ];
}
