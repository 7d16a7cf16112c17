import { oneLine, ProblemError, toProblem } from "../../base/problem.ts";
import type { Slot } from "../../config/layout/layout.ts";
import { GUEST } from "../../guest/description.ts";
import { guestPlaces } from "../../guest/places.ts";
import { readGuestSlot, trySlot } from "../../guest/slot.ts";
import { NOT_STOPPED } from "../../guest/stop-machine.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { requireRoot } from "../../run/guards.ts";
import type { Setup } from "../../run/setup.ts";
import type { Terminal } from "../../run/terminal.ts";
import { systemHost } from "../../system/host.ts";
import { holderOf, holderText, takeLock } from "../../system/processes/lock.ts";
import { unitState } from "../../system/systemd/systemd.ts";
import { guestJob } from "./guest-job-command.ts";
import { type HypervisorName, hypervisorNamed } from "./guest-hypervisor.ts";

/** Seconds that a service which has just ended may still hold its lock. */
const LOCK = 10;

/**
 * Stops the guest, has it try the other slot, and starts it again. A guest that was stopped stays so. Where the guest does not end, or the slot
 * cannot be started, its service is started as before.
 *
 * @throws ProblemError when the guest did not stop, or the slot cannot be started
 */
export async function guestTrySlot(
  { layout }: Pick<Setup, "layout">,
  slot: Slot,
  { hypervisor: name }: { readonly hypervisor: HypervisorName },
  terminal: Terminal,
  places = guestPlaces(layout),
): Promise<ExitName> {
  requireRoot("it writes to the guest's disk");
  const host = systemHost();
  const { next } = await readGuestSlot(host, places);
  if (next === slot) {
    terminal.print(`the next start boots slot ${slot} already; to start it now: guestos-boot guest restart`);
    return "ok";
  }
  const { active } = await unitState(host, "guestos.service");
  const wasStarted = active !== "inactive" && active !== "failed";
  if (wasStarted) terminal.print("the guest is shut down, and started again; after an interruption: guestos-boot guest start");
  try {
    if (wasStarted) await guestJob({ layout }, "stop", terminal, places);
    const lock = await takeLock(places.lock, { wait: LOCK, holder: holderOf(`guestos-boot guest slot ${slot}`), signal: host.signal });
    if (lock.kind !== "taken")
      throw new ProblemError({
        code: "guest-still-kept",
        what: "the guest is still kept running, so its slot cannot be changed",
        ...(lock.kind === "held" && lock.holder !== undefined ? { found: holderText(lock.holder) } : {}),
        todo: "systemctl stop guestos.service, then try again",
      });
    try {
      const state = await hypervisorNamed(name, host, places).state(GUEST.name);
      if (state !== "absent")
        throw new ProblemError({
          ...NOT_STOPPED,
          found: state,
          expected: "absent",
          todo: "guestos-boot guest stop, then try again",
        });
      await trySlot(host, places, slot);
    } finally {
      lock.release();
    }
  } catch (error) {
    if (wasStarted)
      await guestJob({ layout }, "start", terminal, places).catch((second: unknown) =>
        terminal.complain(`the guest is not started: ${oneLine(toProblem(second))}`),
      );
    throw error;
  }
  if (wasStarted) await guestJob({ layout }, "start", terminal, places);
  terminal.print(
    `slot ${slot} is tried ${wasStarted ? "now" : "at the next start: guestos-boot guest start"}; a system that is not confirmed is left again`,
  );
  return "ok";
}
