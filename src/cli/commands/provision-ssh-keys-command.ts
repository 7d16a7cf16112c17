import { ProblemError } from "../../base/problem.ts";
import { quoted } from "../../base/quoted.ts";
import { systemHost } from "../../system/host.ts";
import { readersFolder } from "../../system/files/readers.ts";
import { readInput } from "../../system/files/read-input.ts";
import { provisionedAccounts, provisionKeys } from "../../units/identity/ssh-account-keys.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { ExitError } from "../../run/exit-error.ts";
import { requireConfiguration, requireRoot } from "../../run/guards.ts";
import { lockOrExit } from "../../run/run-lock.ts";
import type { Setup } from "../../run/setup.ts";
import type { Terminal } from "../../run/terminal.ts";
import { stopOnSignals } from "../stop-on-signals.ts";

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
  const stop = stopOnSignals();
  const host = systemHost({ signal: stop.signal });
  const { layout } = setup;
  try {
    const content = await readInput({ most: MOST_BYTES, patience: INPUT_PATIENCE, signal: stop.signal });
    await host.makeFolder(layout.run, readersFolder);
    const release = await lockOrExit(layout, PATIENCE, terminal, stop.signal);
    if (release === undefined) return stop.exit();
    try {
      const { count, changed, problem } = await provisionKeys(host, layout, account, content);
      terminal.print(`${account}: ${count} ${count === 1 ? "key" : "keys"}${changed ? "" : ", as before"}`);
      if (problem !== undefined) throw new ProblemError({ ...problem, what: `${problem.what}; the other keys are in force` });
      return "ok";
    } finally {
      release();
    }
  } catch (error) {
    if (stop.signal.aborted) return stop.exit();
    throw error;
  }
}
