import { withoutSecrets } from "./secret.ts";
import { withPlainAddresses } from "./shown-address.ts";

/**
 * Where the words of others enter: of tools, libraries, servers, services. Each of them may repeat what it was given, so the secrets
 * that this process knows are taken out, as are the user and the query of an address, where people put theirs. What would move a
 * terminal's cursor is shown as "?".
 *
 * test/unit/base/foreign-words.test.ts holds the whole program to it: what an error says is passed on in no other way.
 */
export function foreignText(text: string): string {
  return withPlainAddresses(withoutSecrets(text)).replaceAll(CONTROL, "?");
}

/** What somebody else's error says. */
export function foreignWords(error: unknown): string {
  return foreignText(error instanceof Error ? error.message || error.name : String(error));
}

/** Control characters, but for tabs and the ends of lines. */
const CONTROL = /[^\P{Cc}\t\n\r]/gu;
