import { RunReader } from "../../boot/record/run-view.ts";
import { changedUnits } from "../../boot/graph.ts";
import { runUnits } from "../../boot/runner.ts";
import { systemHost } from "../../system/host.ts";
import { readersFolder } from "../../system/files/readers.ts";
import type { Machine } from "../../units/machine.ts";
import { bootSignals } from "../../run/boot-signals.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { requireConfiguration, requireRoot, requireSound } from "../../run/guards.ts";
import { hostStatus } from "../../run/host-status.ts";
import { runDocument } from "./run-document.ts";
import { machineFor } from "../../run/machine-for.ts";
import { runFacts } from "../../run/run-facts.ts";
import { lockOrExit } from "../../run/run-lock.ts";
import { runMark } from "../../run/run-mark.ts";
import { runOutput } from "../../run/run-output.ts";
import { refreshMetricsAfter } from "../../run/run-metrics.ts";
import { keepBootRecord } from "../../run/keep-boot-record.ts";
import { observation } from "../../run/observation.ts";
import { recordSink } from "../../run/record-sink.ts";
import { type Selection, selectUnits } from "../../run/select-units.ts";
import type { Setup } from "../../run/setup.ts";
import { bootOrder } from "../../run/stages.ts";
import { stopOnSignals } from "../stop-on-signals.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";

export interface RunRequest extends Selection {
  readonly json: boolean;
  /** Seconds to wait for the lock. */
  readonly wait: number;
}

/**
 * Runs the chain, a half of it or some of its units, and shows and records what happens.
 *
 * @throws ExitError when no run was possible: not root, an unknown unit, an unsound chain, a broken configuration, the lock held
 */
export async function run(setup: Setup, request: RunRequest, terminal: Terminal): Promise<ExitName> {
  // A boot goes on without the unusable parts of the configuration.
  if (request.stage === undefined) requireConfiguration(setup);
  const { chain, layout } = setup;
  const { units: selected, prerequisites } = selectUnits(chain, request);
  requireSound(chain);
  requireRoot("it changes the machine");
  const ordered = request.stage === "boot" ? bootOrder(selected) : selected;
  const stop = stopOnSignals();
  // Without the run's signal: the work after a stop (keeping the record) must still be possible.
  const host = systemHost();
  await host.makeFolder(layout.run, readersFolder);
  const release = await lockOrExit(layout, request.wait, terminal, stop.signal);
  if (release === undefined) return stop.exit();
  const facts = await runFacts(host, layout, request.stage);
  const reader = new RunReader();
  const record = recordSink(layout, terminal);
  const observed = await observation(layout, setup, facts.version, terminal);
  const units = observed === undefined ? ordered : changedUnits(ordered, (unit) => observed.recorder.unit(unit));
  const output = runOutput(terminal, request.json);
  const status = hostStatus(host, layout, terminal);
  const signals = request.stage === "boot" ? bootSignals(host, units, layout, terminal) : undefined;
  const { outcome } = await runUnits<Machine>(units, {
    machine: machineFor({ ...setup, observed }),
    facts,
    sink: (event) => {
      record.sink(event);
      reader.read(event);
      output.sink(event);
      status.sink(event);
      signals?.sink(event);
    },
    signal: stop.signal,
    prerequisites,
    mark: runMark(host, layout, terminal.complain),
    peakMemory: () => process.resourceUsage().maxRSS * 1024,
  });
  record.close();
  observed?.close();
  await Promise.all([output.close(), status.close()]);
  await refreshMetricsAfter(reader.run, host, layout, terminal.complain);
  await keepBootRecord(host, layout, terminal);
  if (request.json) printJson(terminal, runDocument(reader.run));
  // Only now: who follows the boot may call this program at once, and must find the lock free.
  release();
  await signals?.close(outcome);
  if (outcome === "stopped") return stop.exit();
  return outcome === "done" ? "ok" : outcome;
}
