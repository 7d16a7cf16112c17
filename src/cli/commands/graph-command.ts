import { inOrder } from "../../boot/graph.ts";
import { unitFacts } from "./chain-commands.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import type { GraphFormat } from "./graph-text.ts";
import { requireConfiguration, requireSound } from "../../run/guards.ts";
import type { Setup } from "../../run/setup.ts";
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
  const [{ graphSvg }, { plannedGraph, ranGraph }] = await Promise.all([import("../../analyze/graph-svg.ts"), import("./ran-graph.ts")]);
  if (ago === undefined) return graphSvg(plannedGraph(ordered), { title: "guestos-boot: the chain" });
  const [{ loadBoot }, { bootTitle }, { systemHost }] = await Promise.all([
    import("./boot-analysis.ts"),
    import("../../analyze/boot.ts"),
    import("../../system/host.ts"),
  ]);
  const host = systemHost();
  const { boot } = await loadBoot(host, setup.layout, { boot: ago }, terminal);
  return graphSvg(ranGraph(setup.chain, boot), { title: `guestos-boot: ${bootTitle(boot)}` });
}
