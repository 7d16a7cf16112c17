import { foreignWords } from "../base/foreign-words.ts";
import { graphProblems } from "../boot/graph.ts";
import type { Unit } from "../boot/unit.ts";
import { READERS } from "../system/files/readers.ts";
import { ExitError } from "./exit-error.ts";
import type { Setup } from "./setup.ts";

/** @param why what only root may do, for the message. @throws ExitError */
export function requireRoot(why: string): void {
  if (process.getuid?.() === 0) return;
  throw new ExitError("notRoot", {
    code: "root-required",
    what: `only root may do this: ${why}`,
    todo: "run it as root, for example through sudo",
  });
}

/**
 * What only reads a boot is for whoever the kernel lets read it: root, and the group of its readers.
 *
 * @throws ExitError where it does not let this account
 */
export async function asReader<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && (error.code === "EACCES" || error.code === "EPERM"))) throw error;
    throw new ExitError("notRoot", {
      code: "readers-only",
      what: `only root and members of the group ${READERS.name} may read this`,
      found: foreignWords(error),
      todo: `run it through sudo, or as a member of ${READERS.name} (docs/operator.md, 'Who may run what')`,
    });
  }
}

/** Nothing runs on a chain that cannot be ordered, or in which two units write the same thing. @throws ExitError */
export function requireSound<M>(chain: readonly Unit<M>[]): void {
  const [first] = graphProblems(chain);
  if (first === undefined) return;
  throw new ExitError("unsound", {
    ...first,
    what: `the chain is not sound: ${first.what}`,
    todo: "guestos-boot verify names all that is wrong",
  });
}

/**
 * What people ask for is not done by half a configuration: they are there to mend it. The boot itself goes on without what it cannot
 * use, and so does whatever helps to find out, or to get to another system. @throws ExitError
 */
export function requireConfiguration({ configuration: { problems } }: Setup): void {
  const [first, ...more] = problems;
  if (first === undefined) return;
  throw new ExitError("badConfiguration", {
    ...first,
    what: `the configuration cannot be used: ${first.what}`,
    ...(more.length === 0 ? {} : { todo: `guestos-boot verify names all ${problems.length} problems` }),
  });
}
