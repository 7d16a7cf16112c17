import { foreignText } from "../../base/foreign-words.ts";
import type { RequestHeader } from "../files/header-file.ts";
import { withPlainAddresses } from "../../base/shown-address.ts";
import { webAddress, WrongAddressError } from "./web-address.ts";

export interface HttpRequest {
  readonly url: URL;
  readonly fields: Readonly<Record<string, string>>;
  /** Sent only to the server of `url`. */
  readonly secret: readonly RequestHeader[];
  readonly signal: AbortSignal;
}

/** The server redirects to an address that is not allowed, or in a circle. */
export class RedirectionError extends Error {
  readonly found: string;
  readonly expected: string;

  constructor(found: string, expected: string) {
    super(found);
    this.found = foreignText(found);
    this.expected = expected;
  }
}

const REDIRECTIONS = new Set([301, 302, 303, 307, 308]);
/** Two or three are usual: to https, to a mirror. */
const MOST_REDIRECTIONS = 10;

/**
 * Sends a GET and follows redirections (RFC 9110, 15.4). fetch itself would send secret headers on to another server, and go from https to
 * http. Each wait for an answer goes through `waited`.
 *
 * @throws RedirectionError, and the errors of fetch
 */
export async function httpGet(request: HttpRequest, waited: <T>(work: Promise<T>) => Promise<T>): Promise<Response> {
  const seen = new Set<string>();
  for (let url = request.url; ;) {
    seen.add(url.href);
    const secret = url.origin === request.url.origin ? request.secret : [];
    const headers = new Headers(request.fields);
    for (const { name, value } of secret) headers.append(name, Buffer.from(value.expose()).toString("latin1"));
    const response = await waited(fetch(url, { headers, signal: request.signal, redirect: "manual" }));
    const location = response.headers.get("location");
    if (!REDIRECTIONS.has(response.status) || location === null) return response;
    await response.body?.cancel();
    const next = redirected(location, url);
    if (seen.has(next.href)) throw new RedirectionError(`a circle of redirections, back to ${next.href}`, "the file");
    if (seen.size > MOST_REDIRECTIONS) throw new RedirectionError(`more than ${MOST_REDIRECTIONS} redirections`, "the file");
    url = next;
  }
}

function redirected(location: string, from: URL): URL {
  try {
    const next = webAddress(URL.canParse(location, from.href) ? new URL(location, from).href : location);
    next.hash = "";
    if (from.protocol === "https:" && next.protocol !== "https:") throw new RedirectionError("a redirection away from https", "https");
    return next;
  } catch (error) {
    if (!(error instanceof WrongAddressError)) throw error;
    throw new RedirectionError(`a redirection to ${withPlainAddresses(location)}`, "another http(s) address, without a user in it");
  }
}
