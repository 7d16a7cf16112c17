import { withoutSecrets } from "./secret.ts";
import { withPlainAddresses } from "./shown-address.ts";

/**
 * The entry point for text from outside: from tools, libraries, servers and services. Such text may repeat its input. So the secrets that
 * this process knows are taken out, as are user and query of an address, where people put secrets. Characters that would move a terminal's
 * cursor are shown as "?".
 *
 * test/unit/base/foreign-words.test.ts checks the whole program: an error's text is passed on in no other way.
 */
export function foreignText(text: string): string {
  return withPlainAddresses(withoutSecrets(text)).replaceAll(CONTROL, "?");
}

/** The message of an error that is not ours. */
export function foreignWords(error: unknown): string {
  return foreignText(error instanceof Error ? error.message || error.name : String(error));
}

/** Control characters, except tabs and line ends. */
const CONTROL = /[^\P{Cc}\t\n\r]/gu;
