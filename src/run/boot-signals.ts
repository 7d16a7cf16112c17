import type { RecordEvent, RunOutcome, Sink } from "../boot/record/record.ts";
import { oneLine, toProblem } from "../base/problem.ts";
import type { Unit } from "../boot/unit.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { isAwaited, sayEnded, sayReady } from "../system/systemd/notify.ts";
import { stagesOf } from "./stages.ts";
import type { Terminal } from "./terminal.ts";

export interface BootSignals {
  readonly sink: Sink;
  /** Call this last: units that order themselves after guestos-boot.target start then. */
  readonly close: (outcome: RunOutcome) => Promise<void>;
}

/**
 * Tells systemd, where systemd runs this boot, when the rest of the system may start: once every unit that does not wait for the bus has
 * ended. This holds after failures too, because a machine with ssh and a console is worth more than one that waits. At the end it also
 * tells systemd that the boot was successful.
 */
export function bootSignals<M>(host: Host, units: readonly Unit<M>[], layout: Layout, terminal: Terminal): BootSignals {
  const stageOf = stagesOf(units);
  const open = new Set(units.flatMap((unit) => (stageOf(unit) === "early" ? [unit.name] : [])));
  const names = new Map<number, string>();
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      if (isAwaited()) await work();
    } catch (error) {
      terminal.complain(`systemd was not notified of the boot's state: ${oneLine(toProblem(error))}`);
    }
  };
  let said: Promise<void> | undefined;
  return {
    sink(event: RecordEvent) {
      if (event.event === "started" && event.what.kind === "unit") names.set(event.span, event.what.name);
      if (event.event === "ended" && event.outcome.kind === "unit") open.delete(names.get(event.span) ?? "");
      if (open.size === 0) said ??= attempt(async () => sayReady(host));
    },
    async close(outcome) {
      await said;
      if (outcome === "done" || outcome === "degraded") await attempt(async () => sayEnded(layout.runFiles.ended));
    },
  };
}
