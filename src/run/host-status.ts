import { bootView } from "../boot/record/boot-view.ts";
import { parseRecord } from "../boot/record/read-record.ts";
import type { RecordEvent } from "../boot/record/record.ts";
import { noteText, summaryLine } from "../boot/show/run-text.ts";
import { RunReader } from "../boot/record/run-view.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { hostNotifySocket, notifyHost } from "../system/systemd/notify.ts";
import { oneLine, toProblem } from "../base/problem.ts";
import type { RunOutput } from "./run-output.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Tells the machine's host the boot's progress, if the host has given an address: a status line at the start, for each unit that fails, and
 * at the end. A successful boot adds READY=1 to the last one.
 *
 * systemd sends a READY=1 of its own once it has nothing more to start, also after a failed boot (systemd(1), vmm.notify_socket). So the
 * outcome is in X_GUESTOS_BOOT as well: done, degraded, failed.
 *
 * A host that does not listen does not fail the boot: that is reported once, and nothing more is sent.
 */
export function hostStatus(host: Host, layout: Layout, terminal: Terminal): RunOutput {
  const reader = new RunReader();
  let sent: Promise<unknown> = Promise.resolve();
  let address: Promise<string | undefined> | undefined;
  let silent = false;
  const send = (assignments: readonly string[] | Promise<readonly string[]>): void => {
    sent = sent.then(async () => {
      address ??= hostNotifySocket(host);
      const to = await address;
      if (to !== undefined && !silent) await notifyHost(host, to, await assignments);
    });
    sent = sent.catch((error: unknown) => {
      silent = true;
      terminal.complain(`the host was not notified of the boot's state: ${oneLine(toProblem(error))}`);
    });
  };
  return {
    sink(event: RecordEvent) {
      const unit = reader.read(event);
      if (reader.run.facts.stage !== "boot") return;
      if (event.event === "run-started") send([status("boot: started")]);
      if (event.event === "ended" && event.outcome.kind === "unit" && unit !== undefined) {
        const { result } = event.outcome;
        if (result.kind === "failed" || result.kind === "degraded") send([status(`${unit.name} ${result.kind}: ${result.problem.what}`)]);
      }
    },
    async close() {
      if (reader.run.facts.stage !== "boot") return;
      send(bootAssignments(host, layout, summaryLine(reader.run)));
      await sent;
    },
  };
}

/** The result of the whole boot, including earlier runs, as `guestos-boot status` reports it. */
async function bootAssignments(host: Host, layout: Layout, summary: string): Promise<readonly string[]> {
  const { record } = layout.runFiles;
  const { outcome } = bootView(parseRecord((await host.readText(record)) ?? "", record).runs);
  const isUsable = outcome === "done" || outcome === "degraded";
  return [...(isUsable ? ["READY=1"] : []), status(summary), `X_GUESTOS_BOOT=${outcome}`];
}

function status(text: string): string {
  return `STATUS=guestos-boot: ${noteText(text)}`;
}
