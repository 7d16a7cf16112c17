import { counted } from "../../base/quoted.ts";
import { requireRoot } from "../../run/guards.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { wrap } from "../../boot/show/run-text.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";
import { type CheckedMachine, checkMachine } from "../../setupos/check-machine.ts";
import type { LostDevice, PlannedDrive } from "../../setupos/disk-plan.ts";
import { type Port, triedText } from "../../setupos/ports.ts";
import { sizeText } from "../../setupos/sizes.ts";
import type { Processors } from "../../system/hardware/lshw.ts";
import { systemHost } from "../../system/host.ts";
import { alignedRows } from "./aligned-rows.ts";
import { listedProblems } from "./listed-problems.ts";

export interface CheckNodeHardwareFlags {
  /** The operator's token, in its canonical form. */
  readonly replace?: string;
  readonly tryPorts: boolean;
  readonly json: boolean;
}

/**
 * Checks the machine that this runs on, as the installer will, and changes nothing on it.
 *
 * @param folder with the node's config.ini
 * @throws ProblemError when there is no such folder
 */
export async function checkNodeHardware(
  folder: string,
  { json, replace, tryPorts }: CheckNodeHardwareFlags,
  terminal: Terminal,
): Promise<ExitName> {
  requireRoot("it asks drives and firmware, as only root may");
  const checked = await checkMachine(systemHost(), folder, { token: replace, triesPorts: tryPorts });
  if (json) printJson(terminal, machineDocument(checked));
  else for (const line of machineLines(checked)) terminal.print(line);
  return checked.mistakes.length + checked.unknown.length === 0 ? "ok" : "refused";
}

function machineDocument({ mistakes, warnings, unknown, rewardType, hardware, drives, token, ...network }: CheckedMachine): object {
  const { processors, threads, memory } = hardware;
  return {
    sound: mistakes.length + unknown.length === 0,
    ...{ mistakes, warnings, unknown, rewardType: rewardType ?? null },
    processors: "problem" in processors ? null : processors.value.sockets.map(({ product }) => product),
    threads: "problem" in threads ? null : threads.value,
    memory: "problem" in memory ? null : memory.value.bytes,
    drives: drives?.map(driveDocument) ?? null,
    token: token ?? null,
    mgmtMac: network.mgmtMac ?? null,
    systems: network.systems,
    ports: network.ports.map(portDocument),
  };
}

function driveDocument({ device, leftBecause, takenAs, lost }: PlannedDrive): object {
  const { path, bytes, model, serial } = device;
  const identity = { path, bytes, model: model ?? null, serial: serial ?? null };
  return { ...identity, takenAs: takenAs ?? null, leftBecause: leftBecause ?? null, lost };
}

function portDocument({ port, isCandidate, hasLink, speed, highest, tried }: Port): object {
  const { name, mac } = port;
  return { name, mac: mac ?? null, isCandidate, hasLink, speed: speed ?? null, highest: highest ?? null, gateway: triedText(tried) };
}

/** The same for a person, in lines of at most 80 columns. */
export function machineLines({
  mistakes,
  warnings,
  unknown,
  rewardType,
  hardware,
  drives,
  mgmtMac,
  systems,
  ports,
}: CheckedMachine): readonly string[] {
  const { processors, threads, memory } = hardware;
  return [
    ...listedProblems("mistake", mistakes),
    ...listedProblems("warning", warnings),
    ...listedProblems("not known", unknown),
    `reward type  ${rewardType ?? "not known"}`,
    `processors   ${"problem" in processors ? "not known" : processorsText(processors.value)}`,
    `threads      ${"problem" in threads ? "not known" : threads.value}`,
    `memory       ${"problem" in memory ? "not known" : sizeText(memory.value.bytes)}`,
    `BMC          ${mgmtMac ?? "not known"}`,
    "",
    ...(systems.length === 0 ? [] : [...alignedRows(systems.map(({ name, mac, ipv6 }) => [name, mac, ipv6 ?? ""])), ""]),
    ...portLines(ports),
    "",
    ...(drives?.flatMap(driveLines) ?? ["drives       not known"]),
    "",
    verdict(mistakes.length, warnings.length, unknown.length),
  ];
}

function processorsText({ sockets }: Processors): string {
  const products = [...new Set(sockets.map(({ product }) => product))];
  return products.map((product) => `${sockets.filter((socket) => socket.product === product).length} × ${product}`).join(", ");
}

/** In the order in which the installer tries them. */
function portLines(ports: readonly Port[]): readonly string[] {
  const speedText = (speed: number | undefined): string => (speed === undefined ? "not known" : `${speed} Mb/s`);
  const rows = ports.map(({ port, isCandidate, hasLink, speed, highest, tried }) => [
    ...[port.name, hasLink ? "yes" : "no", speedText(speed), speedText(highest)],
    isCandidate ? triedText(tried) : "not one that is tried",
  ]);
  return alignedRows([["port", "link", "speed", "at most", "gateway"], ...rows]);
}

function driveLines({ device, leftBecause, takenAs, lost }: PlannedDrive): readonly string[] {
  const { path, bytes, model, serial } = device;
  const name = [path, sizeText(bytes), model, serial === undefined ? undefined : `serial ${serial}`];
  const isEmpty = lost.length === 0;
  const fate =
    takenAs === undefined
      ? `left: ${leftBecause}${isEmpty ? "" : "; on it is:"}`
      : `taken as ${takenAs}; ${isEmpty ? "nothing is found on it" : "lost with it:"}`;
  return [name.filter((part) => part !== undefined).join("  "), `  ${fate}`, ...lost.flatMap(lostLines)];
}

function lostLines({ path, bytes, holds }: LostDevice): readonly string[] {
  return wrap(`${path}  ${sizeText(bytes)}  ${holds}`, "    ", "      ");
}

function verdict(mistakes: number, warnings: number, unknown: number): string {
  const parts = [
    mistakes === 0 ? "No mistakes" : counted(mistakes, "mistake", "mistakes"),
    ...(warnings === 0 ? [] : [counted(warnings, "warning", "warnings")]),
    ...(unknown === 0 ? [] : [`${unknown} not known`]),
  ];
  const text = parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : parts.join("");
  return `${text}.`;
}
