import { withPlainAddresses } from "./shown-address.ts";

/** More of a hostile value tells an operator nothing and fills a serial console. */
const LONGEST = 60;

/**
 * A value from outside in a form that is safe to show: in double quotes, cut at `LONGEST`, and escaped outside printable ASCII. So it can
 * neither move a terminal's cursor nor pretend to be other text. User and query of an address are left out: people put secrets there.
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
