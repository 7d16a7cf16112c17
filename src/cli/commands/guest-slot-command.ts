import { guestPlaces } from "../../guest/places.ts";
import { readGuestSlot } from "../../guest/slot.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { requireRoot } from "../../run/guards.ts";
import type { Setup } from "../../run/setup.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";
import { systemHost } from "../../system/host.ts";
import { bootStateText } from "../../upgrade/apply-writes.ts";

/** Shows what the guest's boot loader is told. Changes nothing. @throws ProblemError when its disk cannot be read */
export async function guestSlot(
  { layout }: Pick<Setup, "layout">,
  { json }: { readonly json: boolean },
  terminal: Terminal,
  places = guestPlaces(layout),
): Promise<ExitName> {
  requireRoot("it reads the guest's disk");
  const { state, next, onTrial } = await readGuestSlot(systemHost(), places);
  if (json) printJson(terminal, { next, onTrial, grubenv: state });
  else {
    terminal.print(`the next start boots slot ${next}${onTrial ? ", on trial" : ""}`);
    terminal.print(`boot loader    ${bootStateText(state)}`);
  }
  return "ok";
}
