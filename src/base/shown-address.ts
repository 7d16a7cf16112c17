/**
 * An address (RFC 3986), up to the character that ends it in a sentence. It begins only where no character of a scheme is before it: a long
 * text of such characters is gone through once, not once from each of them.
 */
const ADDRESS = /(?<![a-z\d+.-])[a-z\d+.-]+:\/\/[^\s"'`<>]+/gi;
const HOST = /^(?:\[[\da-f:.]*\]?|[^:]*)(?::\d*)?$/i;

/** The text with each address in the form that `shownAddress` gives it. */
export function withPlainAddresses(text: string): string {
  return text.replaceAll(ADDRESS, (address) => shownAddress(address));
}

/**
 * An address without its possible secrets: origin and path, and "…" for the rest. Works on text, so that it also accepts input that is not
 * a valid address.
 */
export function shownAddress(address: string): string {
  // The URL standard accepts any number of slashes after http: as two.
  const [, scheme = "", authority = "", path = "", more = ""] =
    /^(https?:\/*|[^:/]*:(?:\/\/)?)([^/?#\\]*)([^?#]*)([?#]?)/i.exec(address) ?? [];
  const at = authority.lastIndexOf("@");
  const host = authority.slice(at + 1);
  // Text that is not a host may be the beginning of a password with a "/" or "?" in it.
  if (!HOST.test(host)) return `${scheme}…`;
  return `${scheme}${at === -1 ? "" : "…@"}${host}${path}${more === "" ? "" : `${more}…`}`;
}
