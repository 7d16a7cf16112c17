import { ProblemError } from "../../base/problem.ts";
import type { StickLayout } from "../../config/layout/layout.ts";
import { kernelArguments } from "../../upgrade/booted-slot.ts";
import type { Machine } from "../machine.ts";

/** The installer's own places. @throws ProblemError on a system that is no installer */
export function stickOf({ layout }: Pick<Machine, "layout">): StickLayout {
  if (layout.stick !== undefined) return layout.stick;
  throw new ProblemError({ code: "no-installer", what: "this system is no installer", expected: "the stick with SetupOS" });
}

/** The kernel's argument with which installers leave out what a laboratory cannot meet (dfinity/ic, ic-os/components/setupos/functions.sh). */
const ARGUMENT = "ic.setupos.run_checks=";

/** Why a check is left out, in words; `undefined` where it is not. Only an explicit 0 leaves it out. */
export async function checksLeftOut({ host }: Pick<Machine, "host">): Promise<string | undefined> {
  const last = (await kernelArguments(host)).findLast((word) => word.startsWith(ARGUMENT));
  return last === `${ARGUMENT}0` ? `the kernel's command line has ${last}` : undefined;
}
