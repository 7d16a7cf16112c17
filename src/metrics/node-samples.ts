import { bootSamples } from "./boot-samples.ts";
import { families, type Sample, sample } from "./families.ts";
import { monitorSamples } from "./monitor-samples.ts";
import type { NodeFacts, Source } from "./node-facts.ts";
import { unitWork } from "./unit-work.ts";
import { upgradeSamples } from "./upgrade-samples.ts";

const SOURCES = ["record", "slots", "intents", "data", "monitor"] satisfies readonly Source[];
/** The unit that loads the firewall's rules; its actions do nothing else. */
const RULESET_UNIT = "nftables";

/** All samples of a node's metrics. */
export function nodeSamples(facts: NodeFacts): readonly Sample[] {
  const { record, upgrade, intents, hasOperatorKey, monitor } = facts;
  const version = facts.version ?? "unknown";
  const first = record?.runs[0];
  const loaded = facts.rulesetLoaded ?? (record === undefined ? undefined : unitWork(record.events).get(RULESET_UNIT)?.lastAction);
  return [
    sample(families.version, facts.version !== undefined, { version }),
    ...(facts.configVersion === undefined ? [] : [sample(families.configVersion, true, { version: facts.configVersion })]),
    ...(upgrade === undefined ? [] : upgradeSamples(upgrade, version, first === undefined ? undefined : Date.parse(first.time) / 1000)),
    ...(hasOperatorKey === undefined ? [] : [sample(families.operatorKey, hasOperatorKey)]),
    ...(record === undefined ? [] : bootSamples(record)),
    ...Object.entries(intents ?? {}).map(([phase, count]) => sample(families.intents, count, { phase })),
    ...(monitor === undefined ? [] : monitorSamples(monitor)),
    ...(loaded === undefined ? [] : [sample(families.rulesetLoaded, loaded)]),
    ...SOURCES.map((source) => sample(families.sourceReadable, !facts.unreadable.has(source), { source })),
  ];
}
