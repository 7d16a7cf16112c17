import { CommandError } from "./command.ts";
import type { Host } from "./host.ts";

/** Tries, and seconds between two of them: a minute, as installers of IC-OS have it. */
const TRIES = 30;
const PAUSE = 2;

/** Whether chrony has the time of the network (chronyc(1), waitsync). */
export async function isSynchronised(host: Host): Promise<boolean> {
  return waitSync(host, 1);
}

/** @returns false where it is not found in a minute */
export async function waitForTime(host: Host): Promise<boolean> {
  return waitSync(host, TRIES);
}

async function waitSync(host: Host, tries: number): Promise<boolean> {
  try {
    await host.run({
      program: "chronyc",
      args: ["-n", "waitsync", String(tries), "0", "0", String(PAUSE)],
      timeout: (tries + 2) * PAUSE * 1000,
    });
    return true;
  } catch (error) {
    host.signal.throwIfAborted();
    if (error instanceof CommandError) return false;
    throw error;
  }
}

/** What chrony says of its servers, for a message. */
export async function clockSources(host: Host): Promise<string> {
  try {
    return (await host.run({ program: "chronyc", args: ["-n", "sources"], timeout: 10_000 })).stdout.trim();
  } catch {
    return "chrony does not answer";
  }
}

/** @param seconds since 1970 */
export async function setClock(host: Host, seconds: number): Promise<void> {
  await host.run({ program: "date", args: ["--utc", `--set=@${seconds}`] });
}

/** Gives the machine's own clock the time, in UTC; how fast that clock runs is not kept, for the root is read-only (hwclock(8)). */
export async function keepTime(host: Host): Promise<void> {
  await host.run({ program: "hwclock", args: ["--systohc", "--utc", "--noadjfile"] });
}
