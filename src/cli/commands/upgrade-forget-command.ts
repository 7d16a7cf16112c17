import { forgetImage } from "../../upgrade/slot-state.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { ExitError } from "../../run/exit-error.ts";
import type { Setup } from "../../run/setup.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";
import { asOperator, locked } from "./upgrade-work.ts";

/** Allows an image to be installed again that was refused because it had failed. @throws ExitError for text that is not a hash */
export async function forgetCommand(
  { layout }: Setup,
  { sha256: typed, json }: { readonly sha256: string; readonly json: boolean },
  terminal: Terminal,
): Promise<ExitName> {
  const sha256 = typed.toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    throw new ExitError("usage", {
      code: "not-an-image-hash",
      what: "this is not the hash of an image",
      found: JSON.stringify(typed.slice(0, 80)),
      expected: "64 hexadecimal digits",
      todo: "guestos-boot upgrade status lists the images that are refused",
    });
  }
  return asOperator(async (host) => {
    const known = await locked(host, layout, "forget", async () => forgetImage(host, layout, sha256));
    if (json) printJson(terminal, { sha256, forgotten: known !== undefined });
    else terminal.print(known === undefined ? `${sha256} was not refused` : `forgotten: ${known.reason} (${known.at})`);
    return "ok";
  });
}
