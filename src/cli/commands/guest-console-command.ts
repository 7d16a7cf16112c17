import { ProblemError } from "../../base/problem.ts";
import { guestPlaces } from "../../guest/places.ts";
import { SerialWatch } from "../../guest/serial-watch.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { asReader } from "../../run/guards.ts";
import type { Setup } from "../../run/setup.ts";
import type { Terminal } from "../../run/terminal.ts";
import { beats } from "../../system/files/follow-file.ts";
import { systemHost } from "../../system/host.ts";
import { untilStopped } from "../stop-on-signals.ts";

/** Bytes of it that are shown of what is there. */
const SHOWN = 64 * 1024;
/** Milliseconds between two looks, where no event comes. */
const EVERY = 1_000;

/** Prints what the guest has written to its serial port, without control characters. It cannot be typed into. */
export async function guestConsole(
  { layout }: Pick<Setup, "layout">,
  { follow }: { readonly follow: boolean },
  terminal: Terminal,
  { serialLog: file } = guestPlaces(layout),
): Promise<ExitName> {
  const host = systemHost();
  const facts = await asReader(async () => host.stat(file));
  if (facts === undefined)
    throw new ProblemError({
      code: "no-serial-log",
      what: "the guest has written nothing yet",
      where: { file },
      found: "no such file",
      todo: "guestos-boot guest status",
    });
  const watch = new SerialWatch(host, file, { from: Math.max(0, facts.size - SHOWN), heard: terminal.print });
  await asReader(async () => watch.read());
  if (!follow) {
    // A prompt has no line end.
    if (watch.rest !== "") terminal.print(watch.rest);
    return "ok";
  }
  return untilStopped(async (stop) => {
    for await (const _ of beats(file, EVERY, stop.signal)) await watch.read();
    return stop.exit();
  });
}
