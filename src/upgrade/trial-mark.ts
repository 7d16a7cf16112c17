import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { readersFolder } from "../system/files/readers.ts";
import { kernelArguments } from "./booted-slot.ts";
import { phaseOf, type Situation } from "./decide.ts";

/**
 * The kernel argument of image/grub.cfg for a trial. It holds even where none of our programs could run; a system that was confirmed later
 * in the boot overrides it with a mark.
 */
const TRIAL_ARGUMENT = "guestos-boot.trial";

export type TrialMark = keyof Layout["runFiles"]["trial"];

/**
 * The mark that guestos-go-back.service still needs to know whether this boot is a trial: it must be able to tell without us.
 *
 * @param situation a settled one
 * @returns `undefined` where the kernel's command line and the marks are already right
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

/** The marks are on a tmpfs and end with the boot. Where both marks exist, the boot is no trial. */
export async function setTrialMark(host: Host, layout: Layout, mark: TrialMark): Promise<void> {
  await host.makeFolder(layout.run, readersFolder);
  await host.writeFile(layout.runFiles.trial[mark], "", { mode: 0o644 });
  await host.remove(layout.runFiles.trial[mark === "on-trial" ? "not-on-trial" : "on-trial"]);
}

async function exists(host: Host, path: string): Promise<boolean> {
  return (await host.stat(path)) !== undefined;
}
