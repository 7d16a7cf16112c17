import { systemClock } from "../../base/clock.ts";
import { foreignWords } from "../../base/foreign-words.ts";
import { ProblemError } from "../../base/problem.ts";
import { guestMachine } from "../../guest/description.ts";
import { guestLine } from "../../guest/guest-line.ts";
import { writeGuestMetrics } from "../../guest/guest-samples.ts";
import { guestPlaces } from "../../guest/places.ts";
import { supervise } from "../../guest/supervise.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { requireRoot } from "../../run/guards.ts";
import type { Setup } from "../../run/setup.ts";
import type { Terminal } from "../../run/terminal.ts";
import { readersFolder } from "../../system/files/readers.ts";
import { systemHost } from "../../system/host.ts";
import { holderOf, holderText, takeLock } from "../../system/processes/lock.ts";
import { isAwaited, sayReady } from "../../system/systemd/notify.ts";
import { stopOnSignals } from "../stop-on-signals.ts";
import { type HypervisorName, hypervisorNamed } from "./guest-hypervisor.ts";

/**
 * Milliseconds from the power button to the end by force; and until this program gives up (guestos.service waits longer): a start that is
 * under way is brought to its end first.
 */
const GRACE = 120_000;
const LAST_MOMENT = GRACE + 300_000;

/** Keeps the guest running until it is told to end, and then stops the guest. @throws ProblemError when another one does so */
export async function guestRun(
  { layout }: Setup,
  { hypervisor }: { readonly hypervisor: HypervisorName },
  terminal: Terminal,
): Promise<ExitName> {
  requireRoot("it starts virtual machines");
  const places = guestPlaces(layout);
  const stop = stopOnSignals(LAST_MOMENT);
  const host = systemHost();
  await host.makeFolder(layout.run, readersFolder);
  const lock = await takeLock(places.lock, { wait: 0, holder: holderOf("guestos-boot guest run"), signal: stop.signal });
  if (lock.kind === "cancelled") return stop.exit();
  if (lock.kind === "held")
    throw new ProblemError({
      code: "another-supervisor",
      what: "the guest is already kept running",
      ...(lock.holder === undefined ? {} : { found: holderText(lock.holder) }),
      todo: "systemctl status guestos.service",
    });
  try {
    await supervise({
      host,
      places,
      hypervisor: hypervisorNamed(hypervisor, host, places),
      describe: async (slot) => guestMachine(host, layout, places, slot),
      clock: systemClock,
      grace: GRACE,
      stop: stop.signal,
      ready: async () => (isAwaited() ? sayReady(host) : undefined),
      async publish(state) {
        terminal.print(guestLine(state));
        await writeGuestMetrics(host, layout, places, state).catch((error: unknown) =>
          terminal.complain(`cannot write the guest's metrics: ${foreignWords(error)}`),
        );
      },
    });
  } finally {
    lock.release();
  }
  return stop.exit();
}
