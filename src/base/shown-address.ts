/** An address (RFC 3986) up to what ends it in a sentence. */
const ADDRESS = /\b[a-z][a-z\d+.-]*:\/\/[^\s"'`<>]+/gi;
const HOST = /^(?:\[[\da-f:.]*\]?|[^:]*)(?::\d*)?$/i;

/** Text in which each address is as `shownAddress` has it. */
export function withPlainAddresses(text: string): string {
  return text.replaceAll(ADDRESS, (address) => shownAddress(address));
}

/**
 * An address without what may be secret in it: origin and path, and "…" for what else there is. As text, so that it also does for
 * what is no address.
 */
export function shownAddress(address: string): string {
  // The URL standard takes as many slashes as there are behind http: for two.
  const [, scheme = "", authority = "", path = "", more = ""] =
    /^(https?:\/*|[^:/]*:(?:\/\/)?)([^/?#\\]*)([^?#]*)([?#]?)/i.exec(address) ?? [];
  const at = authority.lastIndexOf("@");
  const host = authority.slice(at + 1);
  // What is no host may be the beginning of a password with a "/" or "?" in it.
  if (!HOST.test(host)) return `${scheme}…`;
  return `${scheme}${at === -1 ? "" : "…@"}${host}${path}${more === "" ? "" : `${more}…`}`;
}
