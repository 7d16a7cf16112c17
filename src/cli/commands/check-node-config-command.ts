import { counted } from "../../base/quoted.ts";
import { osConfigDocument } from "../../config/os-config-text.ts";
import { type CheckedNode, checkNodeConfig } from "../../config/setup/node-config.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";
import { systemHost } from "../../system/host.ts";
import { alignedRows } from "./aligned-rows.ts";
import { LISTED, listedProblems } from "./listed-problems.ts";

export interface CheckNodeConfigFlags {
  /** In its canonical form. */
  readonly mac?: string;
  readonly json: boolean;
}

/**
 * Checks a node's configuration on any computer, before anybody travels to the machine. It reads the folder, and nothing else.
 *
 * @throws ProblemError when there is no such folder
 */
export async function checkNodeConfigFolder(folder: string, { mac, json }: CheckNodeConfigFlags, terminal: Terminal): Promise<ExitName> {
  const checked = await checkNodeConfig(systemHost(), folder, mac);
  if (json) printJson(terminal, nodeConfigDocument(checked));
  else for (const line of nodeConfigLines(checked)) terminal.print(line);
  return checked.mistakes.length === 0 ? "ok" : "refused";
}

function nodeConfigDocument(checked: CheckedNode): object {
  const { mistakes, warnings, unknown, environment, systems, accounts, hasOperatorKey, hostosConfig, guestosConfig } = checked;
  return {
    sound: mistakes.length === 0,
    counts: { mistakes: mistakes.length, warnings: warnings.length },
    mistakes: mistakes.slice(0, LISTED),
    warnings: warnings.slice(0, LISTED),
    unknown,
    environment: environment ?? null,
    systems,
    accounts: accounts === undefined ? null : Object.fromEntries(accounts),
    operatorKey: hasOperatorKey,
    hostosConfig: hostosConfig === undefined ? null : osConfigDocument(hostosConfig),
    guestosConfig: guestosConfig === undefined ? null : osConfigDocument(guestosConfig),
  };
}

function nodeConfigLines({ mistakes, warnings, unknown, environment, systems, accounts, hasOperatorKey }: CheckedNode): readonly string[] {
  const keys = [...(accounts ?? [])].map(([account, count]) => `${account} ${count}`);
  return [
    ...listedProblems("mistake", mistakes),
    ...listedProblems("warning", warnings),
    ...listedProblems("not known", unknown),
    `network       ${environment ?? "not known"}`,
    `operator key  ${hasOperatorKey ? "in the folder" : "none: an HSM has it"}`,
    `ssh keys      ${keys.length === 0 ? "none: no one can log in with a key" : keys.join(", ")}`,
    ...(systems.length === 0 ? [] : [""]),
    ...alignedRows(systems.map(({ name, mac, ipv6 }) => [name, mac, ipv6 ?? ""])),
    "",
    verdict(mistakes.length, warnings.length),
  ];
}

function verdict(mistakes: number, warnings: number): string {
  const also = warnings === 0 ? "" : ` and ${counted(warnings, "warning", "warnings")}`;
  if (mistakes === 0) return `No mistakes${also}.`;
  return `${counted(mistakes, "mistake", "mistakes")}${also}: correct ${mistakes === 1 ? "it" : "them"} before the stick is used.`;
}
