import { oneLine, toProblem } from "../base/problem.ts";
import type { Host } from "../system/host.ts";
import { type BootClocks, bootClocks, journalClocks } from "../system/systemd/boot-clocks.ts";
import { stageServices } from "./phases.ts";

/** systemd's clocks of a boot of this machine, or why they are missing, in words. Neither for a boot that systemd tells nothing of. */
export interface KnownClocks {
  readonly clocks?: BootClocks | undefined;
  readonly missing?: string;
}

/** @param isHere whether it is the boot that this machine is in */
export async function knownClocks(host: Host, bootId: string, isHere: boolean): Promise<KnownClocks> {
  try {
    const clocks = isHere ? await bootClocks(host, Object.values(stageServices)) : await journalClocks(host, bootId);
    if (clocks !== undefined || isHere || process.getuid?.() === 0) return { clocks };
    return { missing: "root and the group systemd-journal alone can read them in the journal" };
  } catch (error) {
    return { missing: oneLine(toProblem(error)) };
  }
}
