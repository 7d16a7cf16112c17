import { counted } from "../../base/quoted.ts";
import { requireRoot } from "../../run/guards.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";
import { type CheckedMachine, checkMachine } from "../../setupos/check-machine.ts";
import type { ConsideredDrive } from "../../setupos/drives.ts";
import { sizeText } from "../../setupos/sizes.ts";
import type { Processors } from "../../system/hardware/lshw.ts";
import { systemHost } from "../../system/host.ts";
import { listedProblems } from "./listed-problems.ts";

/**
 * Checks the machine that this runs on, as the installer will, and changes nothing on it.
 *
 * @param folder with the node's config.ini
 * @throws ProblemError when there is no such folder
 */
export async function checkNodeHardware(folder: string, { json }: { readonly json: boolean }, terminal: Terminal): Promise<ExitName> {
  requireRoot("it asks drives and firmware, as only root may");
  const checked = await checkMachine(systemHost(), folder);
  if (json) printJson(terminal, machineDocument(checked));
  else for (const line of machineLines(checked)) terminal.print(line);
  return checked.mistakes.length + checked.unknown.length === 0 ? "ok" : "refused";
}

function machineDocument({ mistakes, warnings, unknown, rewardType, machine }: CheckedMachine): object {
  const { processors, threads, memory } = machine.hardware;
  return {
    sound: mistakes.length + unknown.length === 0,
    ...{ mistakes, warnings, unknown, rewardType: rewardType ?? null },
    processors: "problem" in processors ? null : processors.value.sockets.map(({ product }) => product),
    threads: "problem" in threads ? null : threads.value,
    memory: "problem" in memory ? null : memory.value.bytes,
    drives: "problem" in machine.drives ? null : machine.drives.value.map(driveDocument),
  };
}

function driveDocument({ device, leftBecause }: ConsideredDrive): object {
  const { path, bytes, model, serial } = device;
  return { path, bytes, model: model ?? null, serial: serial ?? null, leftBecause: leftBecause ?? null };
}

/** The same for a person, in lines of at most 80 columns. */
export function machineLines({ mistakes, warnings, unknown, rewardType, machine }: CheckedMachine): readonly string[] {
  const { processors, threads, memory } = machine.hardware;
  return [
    ...listedProblems("mistake", mistakes),
    ...listedProblems("warning", warnings),
    ...listedProblems("not known", unknown),
    `reward type  ${rewardType ?? "not known"}`,
    `processors   ${"problem" in processors ? "not known" : processorsText(processors.value)}`,
    `threads      ${"problem" in threads ? "not known" : threads.value}`,
    `memory       ${"problem" in memory ? "not known" : sizeText(memory.value.bytes)}`,
    "",
    ...("problem" in machine.drives ? ["drives       not known"] : machine.drives.value.flatMap(driveLines)),
    "",
    verdict(mistakes.length, warnings.length, unknown.length),
  ];
}

function processorsText({ sockets }: Processors): string {
  const products = [...new Set(sockets.map(({ product }) => product))];
  return products.map((product) => `${sockets.filter((socket) => socket.product === product).length} × ${product}`).join(", ");
}

function driveLines({ device, leftBecause }: ConsideredDrive): readonly string[] {
  const { path, bytes, model, serial } = device;
  const name = [path, sizeText(bytes), model, serial === undefined ? undefined : `serial ${serial}`];
  return [name.filter((part) => part !== undefined).join("  "), `  ${leftBecause === undefined ? "taken" : `left: ${leftBecause}`}`];
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
