import { inOrder } from "../../boot/graph.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import type { GraphFormat } from "./graph-text.ts";
import { requireConfiguration, requireSound } from "../../run/guards.ts";
import type { Setup } from "../../run/setup.ts";
import { unitFacts } from "../../run/unit-facts.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";

export interface GraphRequest {
  readonly format: GraphFormat | "svg";
  readonly json: boolean;
  /** How many boots ago it ran; absent for the chain as it would run. */
  readonly boot?: number;
}

/**
 * Prints the dependencies of the chain. @throws ExitError for an unsound chain or a broken configuration; with `boot` as `readBoot` does
 */
export async function graph(setup: Setup, { format, json, boot }: GraphRequest, terminal: Terminal): Promise<ExitName> {
  requireConfiguration(setup);
  requireSound(setup.chain);
  const ordered = inOrder(setup.chain);
  if (json) printJson(terminal, { units: unitFacts(ordered) });
  else if (format === "svg") terminal.print(await picture(setup, ordered, boot, terminal));
  else terminal.print((await import("./graph-text.ts")).graphText(ordered, format));
  return "ok";
}

async function picture(setup: Setup, ordered: Setup["chain"], ago: number | undefined, terminal: Terminal): Promise<string> {
  const { graphSvg } = await import("../../analyze/graph-svg.ts");
  if (ago === undefined) return graphSvg(unitFacts(ordered), { title: "guestos-boot: the chain" });
  const [{ ranGraph }, { loadBoot }, { bootTitle }, { systemHost }] = await Promise.all([
    import("../../analyze/ran-graph.ts"),
    import("./boot-analysis.ts"),
    import("../../analyze/boot.ts"),
    import("../../system/host.ts"),
  ]);
  const host = systemHost();
  const { boot } = await loadBoot(host, setup.layout, { boot: ago }, terminal);
  return graphSvg(ranGraph(unitFacts(setup.chain), boot), { title: `guestos-boot: ${bootTitle(boot)}` });
}
