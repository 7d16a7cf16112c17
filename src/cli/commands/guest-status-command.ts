import { utc } from "../../base/clock.ts";
import { type Problem, problemLines, toProblem } from "../../base/problem.ts";
import { GUEST } from "../../guest/description.ts";
import { type GuestState, readGuestState } from "../../guest/guest-state.ts";
import { guestPlaces } from "../../guest/places.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { asReader } from "../../run/guards.ts";
import type { Setup } from "../../run/setup.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";
import { systemHost } from "../../system/host.ts";
import type { MachineState } from "../../system/hypervisor/hypervisor.ts";
import { type HypervisorName, hypervisorNamed } from "./guest-hypervisor.ts";

type Look = { readonly state: MachineState } | { readonly problem: Problem };

/** Shows the supervisor's account of the guest, and a look at its machine now, which takes some seconds at most. Changes nothing. */
export async function guestStatus(
  { layout }: Setup,
  { hypervisor: name, json }: { readonly hypervisor: HypervisorName; readonly json: boolean },
  terminal: Terminal,
): Promise<ExitName> {
  const places = guestPlaces(layout);
  const host = systemHost();
  const account = await asReader(async () => readGuestState(host, places));
  const hypervisor = hypervisorNamed(name, host, places);
  const machine: Look = await hypervisor.state(GUEST.name).then(
    (state) => ({ state }),
    (error: unknown) => ({ problem: toProblem(error) }),
  );
  if (json) printJson(terminal, { machine, ...(account === undefined ? {} : { service: account }) });
  else for (const line of [...machineLines(hypervisor.title, machine), ...accountLines(account)]) terminal.print(line);
  return "ok";
}

function machineLines(title: string, machine: Look): readonly string[] {
  if ("state" in machine) return [`machine   ${machine.state} (${title})`];
  return ["machine   cannot be inspected", ...problemLines(machine.problem).map((line) => `          ${line}`)];
}

function accountLines(account: GuestState | undefined): readonly string[] {
  if (account === undefined) return ["service   has not run since the host started: systemctl status guestos.service"];
  const { phase, since, slot, onTrial, boot, failures, nextStart, problem, lastLines = [] } = account;
  return [
    `service   ${phase} since ${utc(since)}`,
    ...(slot === undefined ? [] : [`slot      ${slot}${onTrial ? ", started on trial" : ""}`]),
    ...(boot === undefined ? [] : [`boot      ${BOOT[boot]}`]),
    ...(failures === 0 ? [] : [`failures  ${failures} in a row`]),
    ...(nextStart === undefined ? [] : [`next      it is started again at ${utc(nextStart)}`]),
    ...(problem === undefined ? [] : problemLines(problem).map((line, index) => `${index === 0 ? "problem   " : "          "}${line}`)),
    ...lastLines.map((line) => `          > ${line}`),
  ];
}

const BOOT: Readonly<Record<NonNullable<GuestState["boot"]>, string>> = {
  pending: "not ended yet",
  success: "succeeded",
  failure: "failed",
  silent: "not a word of it for five minutes",
};
