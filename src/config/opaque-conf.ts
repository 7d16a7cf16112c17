import { parseKeyValue } from "./text/key-value.ts";

/**
 * Checks a file that is only passed on to the node software (log.conf, socks_proxy.conf and similar ones): small, text, and `key=value`
 * lines. The node software defines the keys and their values.
 *
 * @throws ProblemError naming every mistake with its place
 */
export function checkOpaqueConf(content: Uint8Array, file: string): void {
  parseKeyValue(content, file);
}
