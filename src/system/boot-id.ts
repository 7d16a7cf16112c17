import type { Host } from "./host.ts";
import { ProblemError, unreadableFile } from "../base/problem.ts";

const BOOT_ID = "/proc/sys/kernel/random/boot_id";

/** The kernel's identifier of this boot, a random UUID (random(4)). @throws ProblemError when there is no /proc */
export async function bootId(host: Host): Promise<string> {
  const text = (await host.readText(BOOT_ID))?.trim();
  if (text === undefined || text === "") {
    throw new ProblemError({ ...unreadableFile(BOOT_ID, "no such file"), todo: "is /proc mounted?" });
  }
  return text;
}
