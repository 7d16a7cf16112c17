import { InvalidArgumentError, Option } from "commander";
import { profileNames } from "../profiles/profiles.ts";

/** The options that several commands share. An Option belongs to one command, so each call makes a new one. */

export function jsonOption(): Option {
  return new Option("--json", "print one JSON document instead of text").default(false, "text");
}

export function unitOption(): Option {
  return new Option("--unit <name>", "only that unit, and what it requires where that does not hold; repeatable")
    .default([], "all")
    .argParser((name: string, before: readonly string[]) => [...before, name]);
}

export function stageOption(): Option {
  return new Option(
    "--stage <stage>",
    "boot: all, as a boot runs it; early: only what ends before the system bus is there; late: only what waits for it; with what it requires",
  ).choices(["boot", "early", "late"]);
}

export function profileOption(): Option {
  return new Option("--profile <name>", "of that system, whatever the image says in /etc/guestos-boot/profile").choices(profileNames);
}

/** Seconds when no number is given: longer than any boot takes. */
const DEFAULT_WAIT = 600;
const LONGEST_WAIT = 86_400;

export function waitOption(): Option {
  return new Option("--wait [seconds]", `wait for a guestos-boot that is running; ${DEFAULT_WAIT} s unless told`)
    .default(0, "end at once")
    .preset(String(DEFAULT_WAIT))
    .argParser((text: string) => numberIn(text, 1, LONGEST_WAIT));
}

export function bootOption(): Option {
  return new Option("--boot <n>", "how many boots ago; journalctl's -1 is understood too").default(0, "this boot").argParser(bootNumber);
}

/** For support: a record from another machine. */
export function recordOption(): Option {
  return new Option("--record <file>", "a record from elsewhere, in place of this machine's");
}

/**
 * @param text as typed; a leading minus sign, as in journalctl, is ignored.
 * @throws InvalidArgumentError
 */
export function bootNumber(text: string): number {
  return numberIn(text.replace(/^-/, ""), 0, 1000);
}

function numberIn(text: string, least: number, most: number): number {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new InvalidArgumentError(`expected a number from ${least} to ${most}.`);
}
