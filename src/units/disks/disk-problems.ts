import { type Conflict, conflict } from "../../boot/unit.ts";
import type { Problem } from "../../base/problem.ts";

/** Problems that several units and checks report, worded once. */

/** @param found the mount that is there. @param expected the mount that belongs there */
export function mountPointTaken(
  mountPoint: string,
  {
    found,
    expected,
    todo = "find out what mounts it, unmount it, and run guestos-boot again",
  }: Required<Pick<Problem, "found" | "expected">> & Pick<Problem, "todo">,
): Conflict {
  return conflict({
    code: "mount-point-taken",
    what: `something else is mounted at ${mountPoint}`,
    found,
    expected,
    todo,
  });
}

export function volumeNotActive(name: string): Problem {
  return { code: "volume-not-active", what: `the volume ${name} is not active`, todo: "guestos-boot --unit volumes" };
}
