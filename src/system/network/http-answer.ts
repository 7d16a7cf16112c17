/** What tells one state of a file from another (RFC 9110, 8.8). */
export interface Marks {
  readonly etag: string | undefined;
  readonly modified: string | undefined;
  /** When the answer was made, by the server's clock. */
  readonly date: string | undefined;
}

/** An answer to a GET, as far as it matters for a transfer. `size` is that of the whole file: `undefined` where the server does not say. */
export type HttpAnswer =
  | { readonly kind: "whole"; readonly size: number | undefined; readonly marks: Marks }
  /** From the byte `first` on. */
  | { readonly kind: "part"; readonly first: number; readonly size: number | undefined; readonly marks: Marks }
  /** What was asked for begins behind the end of the file. */
  | { readonly kind: "behind-the-end"; readonly size: number | undefined }
  /** Another time. `after`: not sooner than in so many milliseconds. */
  | { readonly kind: "busy"; readonly found: string; readonly after: number }
  | { readonly kind: "refused"; readonly found: string; readonly expected: string; readonly todo?: string };

/** What a server says for a moment, or what a moment may change. 501 and 505 are not among them. */
const BUSY = new Set([408, 425, 429, 500, 502, 503, 504]);
const WHO_ASKS = new Set([401, 403, 407]);

export function readAnswer({ status, statusText, headers }: Pick<Response, "status" | "statusText" | "headers">): HttpAnswer {
  const found = `the server answered ${status} ${statusText}`.trim();
  if (BUSY.has(status) || status >= 520) return { kind: "busy", found, after: retryAfter(headers) };
  const range = contentRange(headers.get("content-range") ?? "");
  if (status === 416) return { kind: "behind-the-end", size: range?.size };
  if (status !== 200 && status !== 206) {
    const todo = "if the server asks who wants it: --header-file FILE with an Authorization";
    return { kind: "refused", found, expected: "200 OK", ...(WHO_ASKS.has(status) ? { todo } : {}) };
  }
  // fetch would undo it, and the bytes would no longer be those of the file that was hashed. Names of codings have no case (8.4.1).
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
 * What may be in If-Range (RFC 9110, 13.1.5): a strong ETag; and, for a file that has none, a strong date, which is one that is at least a
 * second older than the answer (8.8.2.2). Without it the range is asked for all the same: `changeOf` and the image's hash see to the rest.
 */
export function strongValidator({ etag, modified, date }: Marks): string | undefined {
  if (etag !== undefined) return /^"[^"]*"$/.test(etag) ? etag : undefined;
  return modified !== undefined && Date.parse(date ?? "") - Date.parse(modified) >= 1000 ? modified : undefined;
}

/**
 * How the marks of a file differ. What one answer does not say contradicts nothing. A proxy that recodes marks an ETag as weak: the tag is the
 * same (8.8.3.2), but then the date counts as well, for a weak one does not speak of bytes.
 *
 * @returns `undefined` where they speak of the same file
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

/** RFC 9110, 14.4: `bytes 5-9/10`, or a star for what is not known, and for a range that there is not. Names of units have no case (14.1). */
function contentRange(text: string): { readonly first: number | undefined; readonly size: number | undefined } | undefined {
  const [all, first, size] = /^bytes +(?:(\d{1,15})-\d{1,15}|\*)\/(\d{1,15}|\*)$/i.exec(text) ?? [];
  return all === undefined ? undefined : { first: numberOf(first), size: numberOf(size) };
}

/** RFC 9110, 10.2.3: seconds, or a date, which is meant by the server's clock: ours may be wrong. @returns milliseconds */
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
