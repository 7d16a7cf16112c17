/** The fields that distinguish one state of a file from another (RFC 9110, 8.8). */
export interface Marks {
  readonly etag: string | undefined;
  readonly modified: string | undefined;
  /** When the answer was made, by the server's clock. */
  readonly date: string | undefined;
}

/**
 * An answer to a GET, as far as it matters for a transfer. `size` is that of the whole file: `undefined` where the server does not report
 * it.
 */
export type HttpAnswer =
  | { readonly kind: "whole"; readonly size: number | undefined; readonly marks: Marks }
  /** From the byte `first` on. */
  | { readonly kind: "part"; readonly first: number; readonly size: number | undefined; readonly marks: Marks }
  /** The requested range begins behind the end of the file. */
  | { readonly kind: "behind-the-end"; readonly size: number | undefined }
  /** Try again later. `after`: the least number of milliseconds to wait. */
  | { readonly kind: "busy"; readonly found: string; readonly after: number }
  | { readonly kind: "refused"; readonly found: string; readonly expected: string; readonly todo?: string };

/** Statuses that are temporary or may change soon. 501 and 505 are not among them. */
const BUSY = new Set([408, 425, 429, 500, 502, 503, 504]);
const WHO_ASKS = new Set([401, 403, 407]);

export function readAnswer({ status, statusText, headers }: Pick<Response, "status" | "statusText" | "headers">): HttpAnswer {
  const found = `the server answered ${status} ${statusText}`.trim();
  if (BUSY.has(status) || status >= 520) return { kind: "busy", found, after: retryAfter(headers) };
  const range = contentRange(headers.get("content-range") ?? "");
  if (status === 416) return { kind: "behind-the-end", size: range?.size };
  if (status !== 200 && status !== 206) {
    const todo = "if the server requires authorization: --header-file FILE";
    return { kind: "refused", found, expected: "200 OK", ...(WHO_ASKS.has(status) ? { todo } : {}) };
  }
  // fetch would decode it, and the bytes would no longer match the hash of the file. Names of codings ignore case (8.4.1).
  const encoding = headers.get("content-encoding") ?? "";
  if (!/^(?:identity)?$/i.test(encoding))
    return { kind: "refused", found: `the content encoding ${encoding}`, expected: "the file as it is" };
  const marks = { etag: value(headers, "etag"), modified: value(headers, "last-modified"), date: value(headers, "date") };
  if (status === 200) return { kind: "whole", size: numberOf(headers.get("content-length")), marks };
  if (range?.first !== undefined) return { kind: "part", first: range.first, size: range.size, marks };
  return {
    kind: "refused",
    found: `a part without its place: ${headers.get("content-range") ?? "no Content-Range"}`,
    expected: "bytes FIRST-LAST/SIZE",
  };
}

/**
 * The value for If-Range (RFC 9110, 13.1.5): a strong ETag. For a file without one, a strong date, at least a second older than the answer
 * (8.8.2.2). Without either, the range is requested anyway: `changeOf` and the image's hash detect a change.
 */
export function strongValidator({ etag, modified, date }: Marks): string | undefined {
  if (etag !== undefined) return /^"[^"]*"$/.test(etag) ? etag : undefined;
  return modified !== undefined && Date.parse(date ?? "") - Date.parse(modified) >= 1000 ? modified : undefined;
}

/**
 * How the marks of a file differ. A mark that one answer lacks is no difference. A proxy that recodes marks an ETag as weak. The tag is
 * then the same (8.8.3.2), but the date counts as well, because a weak tag does not identify bytes.
 *
 * @returns `undefined` where both belong to the same file
 */
export function changeOf(before: Marks, now: Marks): { readonly found: string; readonly expected: string } | undefined {
  if (before.etag !== undefined && now.etag !== undefined) {
    if (opaqueTag(before.etag) !== opaqueTag(now.etag)) return { found: `the mark ${now.etag}`, expected: `the mark ${before.etag}` };
    if (!isWeak(before.etag) && !isWeak(now.etag)) return undefined;
  }
  if (before.modified === undefined || now.modified === undefined || before.modified === now.modified) return undefined;
  return { found: `changed at ${now.modified}`, expected: `changed at ${before.modified}` };
}

function isWeak(etag: string): boolean {
  return etag.startsWith("W/");
}

function opaqueTag(etag: string): string {
  return isWeak(etag) ? etag.slice(2) : etag;
}

/** RFC 9110, 14.4: `bytes 5-9/10`, or a star for an unknown size and for a range that does not exist. Names of units ignore case (14.1). */
function contentRange(text: string): { readonly first: number | undefined; readonly size: number | undefined } | undefined {
  const [all, first, size] = /^bytes +(?:(\d{1,15})-\d{1,15}|\*)\/(\d{1,15}|\*)$/i.exec(text) ?? [];
  return all === undefined ? undefined : { first: numberOf(first), size: numberOf(size) };
}

/** RFC 9110, 10.2.3: seconds, or a date by the server's clock, because ours may be wrong. @returns milliseconds */
function retryAfter(headers: Headers): number {
  const text = value(headers, "retry-after") ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text.endsWith(" GMT") ? text : "");
  const now = Date.parse(value(headers, "date") ?? "");
  return Number.isNaN(at) ? 0 : Math.max(0, at - (Number.isNaN(now) ? Date.now() : now));
}

function value(headers: Headers, name: string): string | undefined {
  return headers.get(name) ?? undefined;
}

function numberOf(text: string | null | undefined): number | undefined {
  return /^\d{1,15}$/.test(text ?? "") ? Number(text) : undefined;
}
