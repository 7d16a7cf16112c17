import type { Layout } from "../config/layout.ts";
import { takeLock } from "../system/lock.ts";
import { ExitError } from "./exit-error.ts";
import { paths } from "./paths.ts";

/**
 * Makes sure that only one of us changes the machine.
 *
 * @param wait seconds to wait for the one that does; 0 for not at all
 * @returns how to let go of the lock, or `undefined` when told to stop while waiting
 * @throws ExitError when another one holds it; the message says who
 */
export async function lockOrExit(layout: Layout, wait: number, signal: AbortSignal): Promise<(() => void) | undefined> {
  const attempt = await takeLock(paths(layout).lock, {
    wait,
    signal,
    holder: { pid: process.pid, command: ["guestos-boot", ...process.argv.slice(2)].join(" "), since: new Date().toISOString() },
  });
  if (attempt.kind === "taken") return attempt.release;
  if (attempt.kind === "cancelled") return undefined;
  const { holder } = attempt;
  throw new ExitError("lockHeld", {
    what: wait === 0 ? "another guestos-boot is running" : `another guestos-boot is still running after ${wait} s`,
    ...(holder === undefined ? {} : { found: `process ${holder.pid}, ${JSON.stringify(holder.command)}, since ${holder.since}` }),
    todo: "wait for it with --wait; guestos-boot status shows what it does",
  });
}
