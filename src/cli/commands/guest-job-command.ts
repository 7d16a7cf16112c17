import type { ExitName } from "../../run/exit-codes.ts";
import { requireRoot } from "../../run/guards.ts";
import { systemHost } from "../../system/host.ts";
import { runJob } from "../../system/systemd/systemd.ts";

/** Milliseconds: a guest that does not heed its power button takes minutes to stop (guestos.service). */
const TIMEOUT = 11 * 60_000;

/** Has systemd start or stop the guest's service. @throws ExitError when not root. ProblemError when it fails */
export async function guestJob(kind: "start" | "stop" | "restart"): Promise<ExitName> {
  requireRoot("it starts and stops services");
  await runJob(systemHost(), kind, "guestos.service", TIMEOUT);
  return "ok";
}
