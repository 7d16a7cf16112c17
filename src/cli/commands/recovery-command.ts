import { recoveryPassphrase } from "../../config/recovery-passphrase.ts";
import { requirePartition } from "../../system/disks/block-devices.ts";
import { systemHost } from "../../system/host.ts";
import { ProblemError } from "../../base/problem.ts";
import { isTyped, readPassphrase } from "../../system/files/read-passphrase.ts";
import type { Secret } from "../../base/secret.ts";
import { type Recovery, recoveryState, removeRecovery, setRecovery, storeRecovery } from "../../units/disks/recovery-slot.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { requireConfiguration, requireRoot } from "../../run/guards.ts";
import { whileLocked } from "../../run/run-lock.ts";
import type { Setup } from "../../run/setup.ts";
import { type StopSwitch, untilStopped } from "../stop-on-signals.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";

interface Request {
  readonly json: boolean;
}

interface ChangeRequest extends Request {
  /** Seconds to wait for the lock. */
  readonly wait: number;
}

/** Shows whether a recovery passphrase is set, and changes nothing. @throws ExitError when not root */
export async function recoveryStatus(setup: Setup, { json }: Request, terminal: Terminal): Promise<ExitName> {
  requireRecovery(setup);
  return untilStopped(async ({ signal }) => {
    const host = systemHost({ signal });
    const { device } = await requirePartition(host, setup.layout.partitions.store);
    const state = await recoveryState(host, device);
    if (json) printJson(terminal, { device, state });
    else terminal.print(`${device}: ${STATE_TEXTS[state]}`);
    return "ok";
  });
}

const STATE_TEXTS = {
  none: "no recovery passphrase is set",
  set: "a recovery passphrase is set",
  unfinished: "setting or removing the recovery passphrase was cut off: repeat it",
} as const;

/**
 * Reads the passphrase, and sets it as the store's recovery passphrase.
 *
 * @throws ExitError, ProblemError when nothing, or not all, was done
 */
export async function setRecoveryPassphrase(setup: Setup, request: ChangeRequest, terminal: Terminal): Promise<ExitName> {
  requireRecovery(setup);
  return untilStopped(async (stop) => {
    const passphrase = await askedPassphrase(terminal, stop.signal);
    if (passphrase === undefined) return stop.signal.aborted ? stop.exit() : "interrupted";
    return change(setup, request, terminal, stop, async (recovery) => {
      const done = await setRecovery(recovery, passphrase);
      if (request.json) printJson(terminal, { device: recovery.device, state: "set", done });
      else terminal.print(`${recovery.device}: ${SET_TEXTS[done]}`);
    });
  });
}

const SET_TEXTS = {
  added: "the recovery passphrase is set, and opens the store",
  replaced: "the recovery passphrase is set, and opens the store; the former one no longer does",
  finished: "the recovery passphrase is set: the interrupted change is complete",
  unchanged: "this is the recovery passphrase already; nothing was changed",
} as const;

/** @throws ExitError, ProblemError when nothing, or not all, was done */
export async function removeRecoveryPassphrase(setup: Setup, request: ChangeRequest, terminal: Terminal): Promise<ExitName> {
  requireRecovery(setup);
  return untilStopped(async (stop) =>
    change(setup, request, terminal, stop, async (recovery) => {
      const removed = await removeRecovery(recovery);
      if (request.json) printJson(terminal, { device: recovery.device, state: "none", done: removed ? "removed" : "unchanged" });
      else terminal.print(`${recovery.device}: ${removed ? "the recovery passphrase is removed" : "no recovery passphrase was set"}`);
    }),
  );
}

/** Asks twice on a terminal. @returns undefined when the person gave up. @throws ProblemError for a weak one */
async function askedPassphrase(terminal: Terminal, signal: AbortSignal): Promise<Secret | undefined> {
  const ask = (text: string): void => (terminal.ask ?? terminal.complain)(text);
  const first = await readPassphrase(ask, "New recovery passphrase (not shown): ", signal);
  if (first === undefined) return undefined;
  const passphrase = recoveryPassphrase(first);
  if (!isTyped()) return passphrase;
  const again = await readPassphrase(ask, "Repeat it: ", signal);
  if (again === undefined) return undefined;
  if (Buffer.from(again).equals(first)) return passphrase;
  throw new ProblemError({ code: "passphrases-differ", what: "the two passphrases are not the same; nothing was changed" });
}

async function change(
  { layout }: Setup,
  { wait }: ChangeRequest,
  terminal: Terminal,
  { signal, exit }: StopSwitch,
  act: (recovery: Recovery) => Promise<void>,
): Promise<ExitName> {
  const host = systemHost({ signal });
  const ended = await whileLocked({ host, layout }, wait, terminal, async (): Promise<ExitName> => {
    await act(await storeRecovery(host, layout));
    return "ok";
  });
  return ended ?? exit();
}

/** @throws ExitError, or ProblemError on a system without an encrypted store */
function requireRecovery(setup: Setup): void {
  requireConfiguration(setup);
  requireRoot("it reads and changes the store's key slots");
  if (setup.chain.some(({ name }) => name === "store-key")) return;
  throw new ProblemError({
    code: "no-encrypted-store",
    what: "this system has no encrypted store, so it has no recovery passphrase",
    found: `the profile ${setup.profile}, whose chain has no unit store-key`,
  });
}
