import { isIPv4 } from "node:net";
import { quoted } from "../../base/quoted.ts";
import { ProblemError } from "../../base/problem.ts";
import { withoutSecrets } from "../../base/secret.ts";
import { shownAddress } from "../../base/shown-address.ts";

/** An address that cannot be used as given. */
export class WrongAddressError extends ProblemError {}

/**
 * The address of a resource on a server, as given by an operator, or by a server that sends us elsewhere: that one may repeat our secrets.
 *
 * @throws WrongAddressError for an address that is not http(s), or has a user or a password in it. Every process that lists the machine's
 *   processes can read those, and libraries repeat them in their messages (RFC 3986, 7.5)
 */
export function webAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new WrongAddressError({
      code: "address-not-http",
      what: "this is no http(s) address",
      found: quoted(shownAddress(withoutSecrets(text))),
      expected: "https://HOST/PATH, with an IPv6 address in brackets",
    });
  }
  if (url.username === "" && url.password === "") return url;
  throw new WrongAddressError({
    code: "address-with-password",
    what: "an address with a user or a password in it is not accepted",
    found: quoted(shownAddress(withoutSecrets(text))),
    expected: "the address alone",
    todo: "put the header that the server requires (Authorization: …) into a file that only its owner can read, and give --header-file FILE",
  });
}

/** Whether requests to it stay on this machine (RFC 6761, 6.3; RFC 1122, 3.2.1.3; RFC 4291, 2.5.3). */
export function isLoopback({ hostname }: URL): boolean {
  return /(?:^|\.)localhost$/.test(hostname) || (isIPv4(hostname) && hostname.startsWith("127.")) || hostname === "[::1]";
}
