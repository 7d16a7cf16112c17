import type { Host } from "../host.ts";

const SUDO = "/usr/bin/sudo";

/**
 * Replaces this process by sudo, which runs the same command as root where sudoers(5) lets this account do so. It asks for no password, and
 * starts no shell.
 *
 * Returns where there is nothing to gain: as root already, or without sudo. The command itself then says what is missing.
 *
 * @param program the absolute path that sudoers names
 */
export async function goThroughSudo(host: Pick<Host, "stat">, program: string, args: readonly string[]): Promise<void> {
  if (process.getuid?.() === 0 || process.execve === undefined) return;
  if ((await host.stat(SUDO))?.kind !== "file") return;
  process.execve(SUDO, ["sudo", "--non-interactive", "--", program, ...args]);
}
