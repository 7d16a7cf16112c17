import { parseKeyValue } from "./text/key-value.ts";

/**
 * Checks a file that is only passed on to the node software (log.conf, socks_proxy.conf and their like): small, text, and
 * `key=value` lines. Which keys there are, and what they may hold, is theirs to know.
 *
 * @throws ProblemError naming every mistake with its place
 */
export function checkOpaqueConf(content: Uint8Array, file: string): void {
  parseKeyValue(content, file);
}
