import type { Host } from "../host.ts";
import { unescapeOctal } from "./mounts.ts";

/** Active swap devices, by their kernel names ("/dev/dm-3"); proc_swaps(5). */
export async function activeSwaps(host: Host): Promise<readonly string[]> {
  const lines = ((await host.readText("/proc/swaps")) ?? "").split("\n").slice(1);
  return lines.map((line) => unescapeOctal(line.split(/\s/)[0] ?? "")).filter((name) => name !== "");
}

/** @throws CommandError */
export async function swapOn(host: Host, device: string): Promise<void> {
  await host.run({ program: "swapon", args: ["--", device] });
}
