import { foreignWords } from "../base/foreign-words.ts";
import { graphProblems } from "../boot/graph.ts";
import type { Unit } from "../boot/unit.ts";
import { READERS } from "../system/files/readers.ts";
import { ExitError } from "./exit-error.ts";
import type { Setup } from "./setup.ts";

/** @param why the operation that needs root, for the message. @throws ExitError */
export function requireRoot(why: string): void {
  if (process.getuid?.() === 0) return;
  throw new ExitError("notRoot", {
    code: "root-required",
    what: `only root may do this: ${why}`,
    todo: "run it as root, for example through sudo",
  });
}

/**
 * Runs a read-only access to a boot. The kernel decides who may read: root, and the group of readers.
 *
 * @throws ExitError where the kernel denies this account
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

/** Refuses a chain that cannot be ordered, or in which two units write the same path or device. @throws ExitError */
export function requireSound<M>(chain: readonly Unit<M>[]): void {
  const [first] = graphProblems(chain);
  if (first === undefined) return;
  throw new ExitError("unsound", {
    ...first,
    what: `the chain is not sound: ${first.what}`,
    todo: "guestos-boot verify lists all problems",
  });
}

/**
 * Refuses commands of an operator while the configuration has problems: the operator is there to repair it. The boot itself goes on without
 * the unusable parts, and so do the commands that help to diagnose, or to reach another system.
 *
 * @throws ExitError
 */
export function requireConfiguration({ configuration: { problems } }: Setup): void {
  const [first, ...more] = problems;
  if (first === undefined) return;
  throw new ExitError("badConfiguration", {
    ...first,
    what: `the configuration cannot be used: ${first.what}`,
    ...(more.length === 0 ? {} : { todo: `guestos-boot verify lists all ${problems.length} problems` }),
  });
}
