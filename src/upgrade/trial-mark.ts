import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { readersFolder } from "../system/files/readers.ts";
import { kernelArguments } from "./booted-slot.ts";
import { phaseOf, type Situation } from "./decide.ts";

/**
 * The word of image/grub.cfg that this boot is a trial. It holds also where nothing of ours could run; a system that was
 * confirmed later in the boot says so by a mark.
 */
const TRIAL_ARGUMENT = "guestos-boot.trial";

export type TrialMark = keyof Layout["runFiles"]["trial"];

/**
 * Which mark is missing for guestos-go-back.service to know whether this boot is a trial: it must be able to tell without us.
 *
 * @param situation a settled one
 * @returns `undefined` where the kernel's command line and the marks say what is true
 */
export async function missingTrialMark(host: Host, layout: Layout, situation: Situation): Promise<TrialMark | undefined> {
  const [isMarked, isDenied, args] = await Promise.all([
    exists(host, layout.runFiles.trial["on-trial"]),
    exists(host, layout.runFiles.trial["not-on-trial"]),
    kernelArguments(host),
  ]);
  if (phaseOf(situation) === "trial") return isMarked && !isDenied ? undefined : "on-trial";
  return (isMarked || args.includes(TRIAL_ARGUMENT)) && !isDenied ? "not-on-trial" : undefined;
}

/** On a tmpfs: gone with the boot that it tells of. Where both marks are there, it is no trial. */
export async function setTrialMark(host: Host, layout: Layout, mark: TrialMark): Promise<void> {
  await host.makeFolder(layout.run, readersFolder);
  await host.writeFile(layout.runFiles.trial[mark], "", { mode: 0o644 });
  await host.remove(layout.runFiles.trial[mark === "on-trial" ? "not-on-trial" : "on-trial"]);
}

async function exists(host: Host, path: string): Promise<boolean> {
  return (await host.stat(path)) !== undefined;
}
