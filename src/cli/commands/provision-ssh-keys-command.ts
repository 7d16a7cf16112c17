import { ProblemError } from "../../base/problem.ts";
import { counted, quoted } from "../../base/quoted.ts";
import { systemHost } from "../../system/host.ts";
import { readInput } from "../../system/files/read-input.ts";
import { provisionedAccounts, provisionKeys } from "../../units/identity/ssh-account-keys.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { ExitError } from "../../run/exit-error.ts";
import { requireConfiguration, requireRoot } from "../../run/guards.ts";
import { whileLocked } from "../../run/run-lock.ts";
import type { Setup } from "../../run/setup.ts";
import type { Terminal } from "../../run/terminal.ts";
import { untilStopped } from "../stop-on-signals.ts";

/** Bytes: some thousand keys. */
const MOST_BYTES = 1024 * 1024;
/** Milliseconds for the caller to write them. */
const INPUT_PATIENCE = 60_000;
/** Seconds to wait for a run: the caller tries again by itself. */
const PATIENCE = 60;

/**
 * Gives an account the keys of standard input in place of those that it has, permanently and at once. No keys: no one can log in to it any
 * more.
 *
 * @throws ExitError for an account that takes no keys, where not root, or while another run holds the lock
 * @throws ProblemError where a line is no key; all others are in force then
 */
export async function provisionSshKeys(setup: Setup, account: string, terminal: Terminal): Promise<ExitName> {
  if (!provisionedAccounts.includes(account)) {
    throw new ExitError("usage", {
      code: "account-takes-no-keys",
      what: "this account takes no keys",
      found: quoted(account),
      expected: `one of ${provisionedAccounts.join(", ")}`,
    });
  }
  requireConfiguration(setup);
  requireRoot("who may log in is for root alone to say");
  const { layout } = setup;
  return untilStopped(async ({ signal, exit }) => {
    const host = systemHost({ signal });
    const content = await readInput({ most: MOST_BYTES, patience: INPUT_PATIENCE, signal });
    const done = await whileLocked({ host, layout }, PATIENCE, terminal, async () => provisionKeys(host, layout, account, content));
    if (done === undefined) return exit();
    const { count, changed, problem } = done;
    terminal.print(`${account}: ${counted(count, "key", "keys")}${changed ? "" : ", as before"}`);
    if (problem !== undefined) throw new ProblemError({ ...problem, what: `${problem.what}; the other keys are in force` });
    return "ok";
  });
}
