import { quoted } from "../../base/quoted.ts";

/** Characters. A longer run of letters and digits may be a part of a key or a password. */
const LONGEST_PIECE = 20;
/** An IPv6 address has eight, and so have few names. The bytes of a key, as openssl prints them with colons, are more. */
const MOST_PIECES = 10;

/**
 * A text from a file into which a secret may have been pasted, as `quoted` shows it; its length alone where a word of it may be a secret.
 *
 * A word is none where it is short, is made of short words (node_reward_type), or is an address or a name of a few short parts.
 */
export function shownText(text: string): string {
  const words = text.trim().split(/\s+/);
  if (words.every((word) => isHarmless(word))) return quoted(text);
  return words.length === 1 ? shownLength(text) : `a text of ${text.length} characters`;
}

/** What is shown of a word whose content does not help. */
export function shownLength(word: string): string {
  return `a word of ${word.length} characters`;
}

function isHarmless(word: string): boolean {
  const pieces = word.split(/[.:]/);
  return pieces.length <= MOST_PIECES && pieces.every((piece) => piece.length <= LONGEST_PIECE || isName(piece));
}

function isName(piece: string): boolean {
  return /^[a-z_-]+$/i.test(piece) && piece.split(/[_-]/).every((part) => part.length <= LONGEST_PIECE);
}
