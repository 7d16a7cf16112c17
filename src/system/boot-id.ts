import type { Host } from "./host.ts";
import { ProblemError } from "../base/problem.ts";

const BOOT_ID = "/proc/sys/kernel/random/boot_id";

/** The kernel's name for this boot, a random UUID (random(4)). @throws ProblemError when there is no /proc */
export async function bootId(host: Host): Promise<string> {
  const text = (await host.readText(BOOT_ID))?.trim();
  if (text === undefined || text === "") {
    throw new ProblemError({ what: `cannot read ${BOOT_ID}`, found: "no such file", todo: "is /proc mounted?" });
  }
  return text;
}
