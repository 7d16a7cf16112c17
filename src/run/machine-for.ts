import type { Scope } from "../boot/attempt.ts";
import { type Host, type HostOptions, systemHost } from "../system/host.ts";
import { keyRing } from "../units/disks/key-ring.ts";
import type { Machine } from "../units/machine.ts";
import { freshRules } from "../units/network/fresh-rules.ts";
import type { Observation } from "./observation.ts";
import { observedHost } from "./observed-host.ts";

export interface MachineOptions extends Pick<Machine, "layout" | "medium"> {
  /** The keys of the encrypted devices; derived from the key file when absent. */
  readonly keys?: Machine["keys"];
  /** The real machine when absent. */
  readonly hostFor?: (options: HostOptions) => Host;
  /** Is told what each unit reads and writes, and what its plans are answered. */
  readonly observed?: Pick<Observation, "access" | "recorder"> | undefined;
}

/**
 * Builds the machine for each unit of one run. All units of the run share the keys and the fresh rules. The host belongs to each unit's own
 * scope, so that its tools end with the unit.
 */
export function machineFor({
  layout,
  medium,
  keys = keyRing(),
  hostFor = systemHost,
  observed,
}: MachineOptions): (scope: Scope) => Machine {
  const shared = { layout, medium, keys, freshRules: freshRules() };
  return (scope) => {
    const own = hostFor(scope);
    const { unit } = scope;
    const host =
      observed === undefined || unit === undefined ? own : observed.recorder.host(observedHost(own, unit, observed.access), unit);
    return { ...shared, host, note: scope.note };
  };
}
