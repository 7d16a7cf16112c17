import { InvalidArgumentError, Option } from "commander";
import { readInstallToken } from "../config/values/install-token.ts";
import { readCardAddress } from "../config/values/mac-address.ts";
import { profileNames } from "../profiles/profiles.ts";

/** The options that several commands share. An Option belongs to one command, so each call makes a new one. */

export function jsonOption(): Option {
  return new Option("--json", "print one JSON document instead of text").default(false, "text");
}

export function unitOption(): Option {
  return new Option("--unit <name>", "only that unit, and those that it requires; repeatable")
    .default([], "all")
    .argParser((name: string, before: readonly string[]) => [...before, name]);
}

export function stageOption(): Option {
  return new Option(
    "--stage <stage>",
    "boot: all units, as at boot; early: those that do not need the system bus; late: those that wait for it. Requirements are included",
  ).choices(["boot", "early", "late"]);
}

export function profileOption(): Option {
  return new Option("--profile <name>", "use that profile, instead of the one in /etc/guestos-boot/profile").choices(profileNames);
}

/** Seconds when no number is given: longer than any boot takes. */
const DEFAULT_WAIT = 600;
const LONGEST_WAIT = 86_400;

export function waitOption(): Option {
  return new Option("--wait [seconds]", `wait for a guestos-boot that is running; without a number ${DEFAULT_WAIT} s`)
    .default(0, "do not wait")
    .preset(String(DEFAULT_WAIT))
    .argParser((text: string) => numberIn(text, 1, LONGEST_WAIT));
}

/** For what becomes true by itself. */
export function withinOption(): Option {
  return new Option("--within <seconds>", "wait until it has been healthy for a minute, for so many seconds")
    .default(undefined, "what is so now counts")
    .argParser((text: string) => numberIn(text, 1, LONGEST_WAIT));
}

export function bootOption(): Option {
  return new Option("--boot <n>", "how many boots ago; -1 also works, as in journalctl").default(0, "this boot").argParser(bootNumber);
}

export function macOption(): Option {
  return new Option("--mac <address>", "the MAC address of the machine's BMC, as in b0:7b:25:c8:f6:c0").argParser((text: string) => {
    const mac = readCardAddress(text);
    if (mac === undefined) throw new InvalidArgumentError("expected the MAC address of one network card, as in b0:7b:25:c8:f6:c0.");
    return mac;
  });
}

export function replaceOption(): Option {
  return new Option("--replace <token>", "what is installed on the drives may be replaced, as the token that was shown allows").argParser(
    (text: string) => {
      const token = readInstallToken(text);
      if (token === undefined) throw new InvalidArgumentError("expected the token that check-node-hardware shows, as in 7KQ2-M9XD.");
      return token;
    },
  );
}

/** For support: a record from another machine. */
export function recordOption(): Option {
  return new Option("--record <file>", "read that record instead of this machine's");
}

/** @param text as typed; a leading minus sign, as in journalctl, is ignored. @throws InvalidArgumentError */
export function bootNumber(text: string): number {
  return numberIn(text.replace(/^-/, ""), 0, 1000);
}

/** A whole number as an option's value. @throws InvalidArgumentError */
export function numberIn(text: string, least: number, most: number): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new InvalidArgumentError(`expected a number from ${least} to ${most}.`);
}
