import { whyDocument, whyLines } from "../../analyze/why.ts";
import { systemHost } from "../../system/host.ts";
import { loadBoot } from "./boot-analysis.ts";
import type { WhichRecord } from "../../run/boot-record.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { ExitError } from "../../run/exit-error.ts";
import type { Setup } from "../../run/setup.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";

/**
 * Shows why a unit ran, waited, was skipped or failed, with its evidence.
 *
 * @throws ExitError when no run of that boot had such a unit, and as `readBoot` does
 */
export async function why(
  { chain, layout }: Setup,
  { unit, json, ...which }: { readonly unit: string; readonly json: boolean } & WhichRecord,
  terminal: Terminal,
): Promise<ExitName> {
  const host = systemHost();
  const { boot } = await loadBoot(host, layout, which, terminal);
  const document = whyDocument(boot, unit);
  if (document === undefined) {
    const { didYouMean } = await import("../../base/nearest.ts");
    const names = [...new Set(boot.allRuns.flatMap((run) => [...run.units, ...run.notReached].map(({ name }) => name)))];
    throw new ExitError("unknownUnit", {
      code: "unit-not-in-boot",
      what: `no run of that boot had a unit ${JSON.stringify(unit)}`,
      todo: didYouMean(unit, names, "guestos-boot status lists its units"),
    });
  }
  if (json) printJson(terminal, document);
  else for (const line of whyLines(document, chain.find(({ name }) => name === unit)?.title)) terminal.print(line);
  return "ok";
}
