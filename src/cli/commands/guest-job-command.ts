import { ProblemError } from "../../base/problem.ts";
import type { Layout } from "../../config/layout/layout.ts";
import { guestLine } from "../../guest/guest-line.ts";
import { readGuestState } from "../../guest/guest-state.ts";
import { type GuestPlaces, guestPlaces } from "../../guest/places.ts";
import { NOT_STOPPED } from "../../guest/stop-machine.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { requireRoot } from "../../run/guards.ts";
import type { Terminal } from "../../run/terminal.ts";
import { systemHost } from "../../system/host.ts";
import { runJob, unitState } from "../../system/systemd/systemd.ts";

/** Milliseconds: TimeoutStopSec= and TimeoutStartSec= of guestos.service, and a minute. */
const TIMEOUT = 17 * 60_000;

/**
 * Has systemd start or stop the guest's service, and prints how the guest is then. A guest that could not be started is no error: the service
 * goes on trying.
 *
 * @throws ExitError when not root. ProblemError when it fails, or the guest's machine has not ended
 */
export async function guestJob(
  { layout }: { readonly layout: Layout },
  kind: "start" | "stop" | "restart",
  terminal: Terminal,
  places: GuestPlaces = guestPlaces(layout),
): Promise<ExitName> {
  requireRoot("it starts and stops services");
  const host = systemHost();
  await runJob(host, kind, SERVICE, TIMEOUT);
  const account = await readGuestState(host, places);
  if (account !== undefined) terminal.print(guestLine(account));
  // For systemd a service has stopped, too, when it failed to.
  if (kind === "start") return "ok";
  const hasFailed = (await unitState(host, SERVICE)).active === "failed";
  const { problem } = account ?? {};
  if (problem?.code !== NOT_STOPPED.code && !hasFailed) return "ok";
  throw new ProblemError({
    ...NOT_STOPPED,
    found: (problem?.code === NOT_STOPPED.code ? problem.found : undefined) ?? `${SERVICE} has failed`,
    todo: "guestos-boot guest",
  });
}

const SERVICE = "guestos.service";
