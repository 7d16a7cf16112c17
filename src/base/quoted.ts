import { withPlainAddresses } from "./shown-address.ts";

/** More of a hostile value than this tells an operator nothing and fills a serial console. */
const LONGEST = 60;

/**
 * A value from outside as it may be shown: in double quotes, cut to a bearable length, and everything that is not
 * printable ASCII escaped, so that it can neither move a terminal's cursor nor pretend to be other text. Of an address, user and
 * query are left out: people put secrets there.
 */
export function quoted(value: string): string {
  const plain = withPlainAddresses(value);
  const shown = plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain;
  return JSON.stringify(shown).replaceAll(
    /[^\x20-\x7e\u2026]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A count with its noun: "1 entry", "3 entries". */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
