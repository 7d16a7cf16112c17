import type { Slot } from "../../config/layout/layout.ts";
import { type Host, systemHost } from "../../system/host.ts";
import { requireBootedSlot } from "../../upgrade/booted-slot.ts";
import { grubBoot, otherSlot } from "../../upgrade/boot-state.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { asReader } from "../../run/guards.ts";
import type { Setup } from "../../run/setup.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";

export type Which = "current" | "target" | "next";

/** Prints one letter, for scripts. */
export async function printSlot(
  { layout }: Setup,
  { which, json }: { readonly which: Which; readonly json: boolean },
  terminal: Terminal,
): Promise<ExitName> {
  const host = systemHost();
  const slot = await asReader(async () => slotOf(host, layout.grubenv, which));
  if (json) printJson(terminal, { slot });
  else terminal.print(slot);
  return "ok";
}

async function slotOf(host: Host, grubenv: string, which: Which): Promise<Slot> {
  switch (which) {
    case "current":
      return requireBootedSlot(host);
    case "target":
      return otherSlot(await requireBootedSlot(host));
    case "next":
      return grubBoot(await host.readBytes(grubenv)).slot;
  }
}
