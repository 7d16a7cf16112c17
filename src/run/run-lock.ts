import type { Layout } from "../config/layout/layout.ts";
import { type LockHolder, takeLock } from "../system/processes/lock.ts";
import { ExitError } from "./exit-error.ts";
import type { Terminal } from "./terminal.ts";

/** Seconds. A look takes one or two; one that has to ask for an address, half a minute. */
const LOOK_PATIENCE = 60;

/**
 * Makes sure that only one of us changes the machine.
 *
 * @param wait seconds to wait for the one that does; 0 for not at all
 * @returns how to let go of the lock, or `undefined` when told to stop while waiting
 * @throws ExitError when another one holds it; the message says who
 */
export async function lockOrExit(layout: Layout, wait: number, terminal: Terminal, signal: AbortSignal): Promise<(() => void) | undefined> {
  const path = layout.runFiles.lock;
  const holder = { pid: process.pid, command: ["guestos-boot", ...process.argv.slice(2)].join(" "), since: new Date().toISOString() };
  let attempt = await takeLock(path, { wait: 0, signal, holder });
  // Nobody asked for that one, and it is over soon.
  if (attempt.kind === "held" && isLook(attempt.holder)) attempt = await takeLock(path, { wait: LOOK_PATIENCE, signal, holder });
  if (attempt.kind === "held" && wait > 0) {
    terminal.complain(
      `waiting at most ${wait} s for another guestos-boot${attempt.holder === undefined ? "" : `: ${holderText(attempt.holder)}`}`,
    );
    attempt = await takeLock(path, { wait, signal, holder });
  }
  switch (attempt.kind) {
    case "taken":
      return attempt.release;
    case "cancelled":
      return undefined;
    case "held":
      throw new ExitError("lockHeld", {
        code: "another-run",
        what: wait === 0 ? "another guestos-boot is running" : `another guestos-boot is still running after ${wait} s`,
        ...(attempt.holder === undefined ? {} : { found: holderText(attempt.holder) }),
        todo: "wait for it with --wait; guestos-boot status shows what it does",
      });
  }
}

/** For a look that the monitor makes itself. @returns how to let go of the lock, or `undefined` when it is not to be had at once */
export async function lockForLook(layout: Layout, unit: string, signal: AbortSignal): Promise<(() => void) | undefined> {
  const holder = { pid: process.pid, command: `${LOOK} --unit ${unit}`, since: new Date().toISOString() };
  const attempt = await takeLock(layout.runFiles.lock, { wait: 0, signal, holder });
  return attempt.kind === "taken" ? attempt.release : undefined;
}

/** How the command of a look begins. */
const LOOK = "guestos-boot monitor --once";

/** Whether it is the monitor that looks after the node. */
function isLook(holder: LockHolder | undefined): boolean {
  return holder?.command.startsWith(LOOK) === true;
}

function holderText({ pid, command, since }: LockHolder): string {
  return `process ${pid}, ${JSON.stringify(command)}, since ${since}`;
}
