import type { Host } from "../system/host.ts";

/** How many logs of earlier starts are kept. */
const KEPT = 5;
/** The log of a start, and the part that virtlogd moved away last. virtlogd removes its parts when it opens the log of the next start. */
const PARTS = ["", ".0"];

/**
 * A start writes its log again from the beginning: those before it are kept, as `-1` to `-5`. One that left nothing is not: else starts that
 * fail would push out what the last guest said.
 *
 * @throws Error of the file system
 */
export async function keepLogs(host: Pick<Host, "stat" | "rename" | "remove">, log: string): Promise<void> {
  const sizes = await Promise.all(PARTS.map(async (part) => (await host.stat(log + part))?.size ?? 0));
  if (sizes.every((size) => size === 0)) return;
  for (let number = KEPT; number > 0; number -= 1)
    for (const part of PARTS) {
      const from = (number === 1 ? log : `${log}-${number - 1}`) + part;
      const to = `${log}-${number}${part}`;
      if ((await host.stat(from)) === undefined) await host.remove(to);
      else await host.rename(from, to);
    }
}
