import type { Layout } from "../config/layout/layout.ts";
import { readersFolder } from "../system/files/readers.ts";
import type { Host } from "../system/host.ts";
import { holderOf, holderText, type LockHolder, takeLock } from "../system/processes/lock.ts";
import { ExitError } from "./exit-error.ts";
import type { Terminal } from "./terminal.ts";

/** Seconds. An inspection by the monitor takes one or two; one that has to request an address, half a minute. */
const INSPECTION_PATIENCE = 60;

/**
 * Ensures that only one guestos-boot process changes the machine.
 *
 * @param wait seconds to wait for the holder of the lock; 0 to not wait
 * @returns the function that releases the lock, or `undefined` when told to stop while waiting
 * @throws ExitError when another process holds it; the message names that process
 */
export async function lockOrExit(layout: Layout, wait: number, terminal: Terminal, signal: AbortSignal): Promise<(() => void) | undefined> {
  const path = layout.runFiles.lock;
  const holder = holderOf(["guestos-boot", ...process.argv.slice(2)].join(" "));
  let attempt = await takeLock(path, { wait: 0, signal, holder });
  // The monitor started that inspection by itself, and it ends soon.
  if (attempt.kind === "held" && isInspection(attempt.holder))
    attempt = await takeLock(path, { wait: INSPECTION_PATIENCE, signal, holder });
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

/**
 * Changes the machine while no other guestos-boot does, for a command that is no run of the chain.
 *
 * @param wait, signal as of `lockOrExit`
 * @returns what `change` returns, or `undefined` when told to stop while waiting
 * @throws ExitError as `lockOrExit` does
 */
export async function whileLocked<T>(
  { host, layout }: { readonly host: Host; readonly layout: Layout },
  wait: number,
  terminal: Terminal,
  change: () => Promise<T>,
): Promise<T | undefined> {
  await host.makeFolder(layout.run, readersFolder);
  const release = await lockOrExit(layout, wait, terminal, host.signal);
  if (release === undefined) return undefined;
  try {
    return await change();
  } finally {
    release();
  }
}

/**
 * Takes the lock for an inspection in the monitor itself.
 *
 * @returns the function that releases the lock, or `undefined` when the lock is not free
 */
export async function lockForInspection(layout: Layout, unit: string, signal: AbortSignal): Promise<(() => void) | undefined> {
  const attempt = await takeLock(layout.runFiles.lock, { wait: 0, signal, holder: holderOf(`${INSPECTION} --unit ${unit}`) });
  return attempt.kind === "taken" ? attempt.release : undefined;
}

/** The beginning of an inspection's command. */
const INSPECTION = "guestos-boot monitor --once";

/** Whether the holder is an inspection by the monitor. */
function isInspection(holder: LockHolder | undefined): boolean {
  return holder?.command.startsWith(INSPECTION) === true;
}
