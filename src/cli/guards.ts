import { graphProblems } from "../boot/graph.ts";
import type { Unit } from "../boot/unit.ts";
import { ExitError } from "./exit-error.ts";

/** @param why what only root may do, for the message. @throws ExitError */
export function requireRoot(why: string): void {
  if (process.getuid?.() === 0) return;
  throw new ExitError("notRoot", { what: `only root may do this: ${why}`, todo: "run it as root, for example through sudo" });
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
