import { ProblemError, type Problem } from "../base/problem.ts";
import type { Known, Refusal, Verb } from "./decide.ts";

/** A verb that cannot be done in the current situation. Nothing was written for it. */
export class RefusedError extends ProblemError {
  readonly refusal: Refusal;

  constructor(verb: Verb, refusal: Refusal) {
    super(refusalProblem(verb, refusal));
    this.refusal = refusal;
  }
}

/** The texts of all refusals. docs/upgrade.md has the remedy for each. */
export function refusalProblem(verb: Verb, refusal: Refusal): Problem {
  switch (refusal.kind) {
    case "not-stable":
      return refusal.waiting === "reboot"
        ? {
            code: "upgrade-committed",
            what: `cannot ${WHAT[verb]} now: an upgrade is committed, and not booted yet`,
            found: `slot ${refusal.trial} is to be tried at the next boot`,
            expected: "a stable system",
            todo: "restart the machine, or undo the commit: guestos-boot upgrade rollback",
          }
        : {
            code: "upgrade-on-trial",
            what: `cannot ${WHAT[verb]} now: the running system is on trial`,
            found: `slot ${refusal.trial}, not confirmed yet`,
            expected: "a stable system",
            todo: "guestos-boot upgrade confirm keeps it, guestos-boot upgrade rollback goes back to the other system",
          };
    case "not-as-booted":
      return {
        code: "slot-not-as-booted",
        what: `cannot ${WHAT[verb]}: the slot that runs is not the one that the boot loader is set to boot`,
        found: `slot ${refusal.running} runs, slot ${refusal.next} is to be booted`,
        expected: "the same slot",
        todo: `restart the machine; if slot ${refusal.running} starts again, the boot loader cannot read /boot/grub/grubenv: remove the file, and guestos-boot --unit upgrade-state makes it again`,
      };
    case "not-installed":
      return {
        code: "nothing-to-commit",
        what: `cannot commit: slot ${refusal.slot} holds no newly installed image`,
        found: KNOWN[refusal.known],
        expected: "an image that was installed, read back and never tried",
        todo: refusal.known === "proven" ? "guestos-boot upgrade rollback goes back to it" : "guestos-boot upgrade install IMAGE",
      };
    case "not-on-trial":
      return {
        code: "trial-not-running",
        what: "cannot confirm: the system that is to be tried does not run yet",
        found: `slot ${refusal.trial} is to be tried at the next boot`,
        expected: "the system on trial to be the running one",
        todo: "restart the machine first",
      };
    case "not-intact":
      return {
        code: "nothing-to-go-back",
        what: `cannot go back: slot ${refusal.slot} holds no system that is known to work`,
        found: KNOWN[refusal.known],
        expected: "a system that ran and was confirmed",
        todo:
          refusal.known === "installed"
            ? "guestos-boot upgrade commit tries what was installed there"
            : "guestos-boot upgrade install IMAGE puts one there",
      };
  }
}

const WHAT: Readonly<Record<Verb, string>> = {
  install: "install",
  commit: "commit",
  confirm: "confirm",
  rollback: "go back",
};

/** The knowledge about a slot, for people. */
export const KNOWN: Readonly<Record<Known, string>> = {
  nothing: "nothing is known of it",
  incomplete: "an install that was not finished",
  installed: "an installed image, not tried yet",
  proven: "a system that ran and was confirmed",
  failed: "a system that failed",
  damaged: "a record that cannot be read",
};
