import { type IncomingMessage, STATUS_CODES } from "node:http";
import { expect, test } from "vitest";
import { type Answer, breakAfter, file, partly, limits, transfer } from "../../../support/http-transfer.ts";
import { noise } from "../../../support/update-images.ts";

const SIZE = file.length;

/** Where the range begins that was asked for. */
function firstOf(request: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
}

/** The first answer breaks off after 100 000 bytes; what comes then. */
const afterBreak =
  (then: Answer, headers: Readonly<Record<string, string | number>> = { "content-length": SIZE, etag: '"one"' }): Answer =>
  (request, response, count) => {
    if (count > 1) return then(request, response, count);
    return breakAfter(response.writeHead(200, headers), file.subarray(0, 100_000));
  };

/** What is left, with these headers in place of the usual ones; `undefined` leaves one out. */
const rest =
  (headers: Readonly<Record<string, string | undefined>> = {}, from = 0): Answer =>
  (request, response) => {
    const first = firstOf(request) - from;
    const all = { "content-range": `bytes ${first}-${SIZE - 1}/${SIZE}`, etag: '"one"', ...headers };
    const named = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
    return response.writeHead(206, Object.fromEntries(named)).end(file.subarray(first));
  };

// RFC 9112, 6.3: an answer without Content-Length says nothing of its length; so does "*" (RFC 9110, 14.4).
test.each<readonly [string, Answer]>([
  ["without a length after one with", afterBreak(rest({ "content-range": `bytes 100000-${SIZE - 1}/*` }))],
  ["whole, without a length after one with", afterBreak((_, response) => response.writeHead(200, { etag: '"one"' }).end(file))],
  ["with a length after one without", afterBreak(rest(), { etag: '"one"' })],
  [
    "without a length after one without",
    afterBreak((_, response) => response.writeHead(200, { etag: '"one"' }).end(file), { etag: '"one"' }),
  ],
])("an unknown length contradicts nothing: %s", async (_, answer) => {
  expect((await transfer(answer)).result).toEqual(file);
});

// RFC 9110, 14.4 and 15.5.17: the end of a file of unknown length is known by 416.
test("a part of a file of unknown length may not be its last one", async () => {
  const answer = afterBreak(
    (request, response) => {
      const first = firstOf(request);
      if (first === SIZE) return response.writeHead(416, { "content-range": `bytes */${SIZE}` }).end();
      const end = Math.min(SIZE, first + 120_000);
      return response.writeHead(206, { "content-range": `bytes ${first}-${end - 1}/*`, etag: '"one"' }).end(file.subarray(first, end));
    },
    { etag: '"one"' },
  );
  const { result, ranges } = await transfer(answer);
  expect(result).toEqual(file);
  expect(ranges).toEqual([undefined, "bytes=100000-", "bytes=220000-", `bytes=${SIZE}-`]);
});

test.each([
  ["with the length", { "content-range": `bytes */${SIZE}` }],
  // "SHOULD generate a Content-Range" (15.5.17).
  ["without one", {}],
])("416 where all bytes are there is the end of the file, %s", async (_, headers) => {
  const answer: Answer = (__, response, count) =>
    count === 1 ? breakAfter(response.writeHead(200, { etag: '"one"' }), file) : response.writeHead(416, headers).end();
  expect((await transfer(answer)).result).toEqual(file);
});

test("416 where bytes are missing is a file that became shorter", async () => {
  for (const headers of [{}, { "content-range": "bytes */90000" }]) {
    const { result, ranges } = await transfer(afterBreak((_, response) => response.writeHead(416, headers).end()));
    expect(String(result)).toMatch(/changed while it was being received/);
    expect(ranges).toHaveLength(2);
  }
});

test("a whole answer that ends before what is there already is another file", async () => {
  for (const length of [{}, { "content-length": 50_000 }]) {
    const shorter: Answer = (_, response) => response.writeHead(200, { etag: '"one"', ...length }).end(file.subarray(0, 50_000));
    const { result } = await transfer(afterBreak(shorter, { etag: '"one"' }));
    expect(String(result)).toMatch(/changed while it was being received: found 50000 bytes/);
  }
});

// RFC 9110, 15.3.7: what a server sends is told by its Content-Range, not by what was asked for.
test("a part that begins earlier than it was asked to is used", async () => {
  const { result, ranges } = await transfer(afterBreak(rest({}, 5)));
  expect(result).toEqual(file);
  expect(ranges).toHaveLength(2);
});

// RFC 9110, 14.1 (range units) and 8.4.1 (content codings): "case-insensitive".
test("names of units and codings have no case", async () => {
  const answer = afterBreak(rest({ "content-range": `Bytes 100000-${SIZE - 1}/${SIZE}`, "content-encoding": "Identity" }), {
    ...{ "content-length": SIZE, etag: '"one"' },
    "content-encoding": "IDENTITY",
  });
  expect((await transfer(answer)).result).toEqual(file);
});

const CHANGED = "Tue, 03 Nov 2026 10:00:00 GMT";
const LATER = "Tue, 03 Nov 2026 10:00:01 GMT";

// RFC 9110, 13.1.5: no weak ETag, and no date for what has an ETag; a date only if it is a strong one (8.8.2.2: a second older than the answer).
test.each<readonly [string, Readonly<Record<string, string>>, string | undefined]>([
  ["a strong ETag", { etag: '"one"', "last-modified": CHANGED, date: LATER }, '"one"'],
  ["a weak ETag", { etag: 'W/"one"', "last-modified": CHANGED, date: LATER }, undefined],
  ["a date that is a second old", { "last-modified": CHANGED, date: LATER }, CHANGED],
  ["a date of the same second", { "last-modified": CHANGED, date: CHANGED }, undefined],
])("If-Range is given a strong validator, or none: %s", async (_, headers, expected) => {
  const answer = afterBreak(rest({ etag: undefined, ...headers }), { "content-length": SIZE, ...headers });
  const { result, requests } = await transfer(answer);
  expect(result).toEqual(file);
  expect(requests[1]?.headers["if-range"]).toBe(expected);
});

// RFC 9110, 8.8.3.2: the weak and the strong form of one tag are equivalent.
test.each([
  ['"one"', 'W/"one"'],
  ['W/"one"', '"one"'],
  ['W/"one"', 'W/"one"'],
])("%s and %s are marks of one file, unless its date has changed", async (first, second) => {
  const headers = { "content-length": SIZE, "last-modified": CHANGED };
  expect((await transfer(afterBreak(rest({ etag: second }), { ...headers, etag: first }))).result).toEqual(file);
  const touched = afterBreak(rest({ etag: second, "last-modified": LATER }), { ...headers, etag: first });
  expect(String((await transfer(touched)).result)).toMatch(/changed while it was being received/);
});

// RFC 9110, 10.2.3; the date is by the server's clock (6.6.1), which may not be ours.
test.each([
  ["seconds", { "retry-after": "1" }],
  ["a date", { date: CHANGED, "retry-after": LATER }],
])("Retry-After in %s is waited for", async (_, headers) => {
  const begun = performance.now();
  const answer: Answer = (request, response, count) =>
    count === 1 ? response.writeHead(503, headers).end() : partly(SIZE)(request, response, count);
  expect((await transfer(answer)).result).toEqual(file);
  expect(performance.now() - begun).toBeGreaterThan(900);
});

test("a Retry-After beyond the limits ends the transfer at once, and is said; a date in the past is no pause", async () => {
  const hour = await transfer((_, response) => response.writeHead(429, { "retry-after": "3600" }).end());
  expect(String(hour.result)).toMatch(/429 Too Many Requests, for at least 3600 s/);
  expect(hour.ranges).toHaveLength(1);
  const past = await transfer((_, response) => response.writeHead(503, { date: LATER, "retry-after": CHANGED }).end());
  expect(past.ranges).toHaveLength(limits.attempts);
});

test("while our reader is busy, the server is not waited for: one connection is enough, however slow that is", async () => {
  const large = noise(3 * 1024 * 1024, "large");
  const { result, ranges } = await transfer((_, response) => response.writeHead(200, { "content-length": large.length }).end(large), {
    reader: 2 * limits.idle,
  });
  expect(result instanceof Buffer && result.equals(large)).toBe(true);
  expect(ranges).toHaveLength(1);
});

test("parts as small as a server likes are no reason to give up, as long as enough comes", async () => {
  const answer: Answer = (request, response) => {
    const first = firstOf(request);
    const end = Math.min(SIZE, first + 2000);
    const part = request.headers.range === undefined ? {} : { "content-range": `bytes ${first}-${end - 1}/${SIZE}` };
    response.writeHead(request.headers.range === undefined ? 200 : 206, { etag: '"one"', ...part });
    if (request.headers.range === undefined) return breakAfter(response, file.subarray(0, end));
    return response.end(file.subarray(first, end));
  };
  const { result, ranges } = await transfer(answer, { limits: { firstPause: 0 } });
  expect(result).toEqual(file);
  expect(ranges).toHaveLength(SIZE / 2000);
});

test("a server that gives a byte now and then is given up", async () => {
  const begun = performance.now();
  const answer: Answer = (request, response) => {
    const first = firstOf(request);
    const part = request.headers.range === undefined ? {} : { "content-range": `bytes ${first}-${SIZE - 1}/${SIZE}` };
    response.writeHead(request.headers.range === undefined ? 200 : 206, { etag: '"one"', ...part });
    const drip = setInterval(() => response.write("x"), 100);
    response.on("close", () => clearInterval(drip));
  };
  const { result } = await transfer(answer, { limits: { slack: 1500 } });
  expect(String(result)).toMatch(/fewer than 1000 bytes a second, for 1\.5 s/);
  expect(performance.now() - begun).toBeLessThan(5000);
});

test("a server that knows no ranges may take its time to send everything again, but not again and again for a byte more", async () => {
  const slow: Answer = (_, response) => {
    response.writeHead(200, { etag: '"one"', "content-length": SIZE });
    [...Array(6).keys()].forEach((part) =>
      setTimeout(() => response.write(file.subarray(part * 50_000, (part + 1) * 50_000)), (part + 1) * 200),
    );
  };
  expect((await transfer(afterBreak(slow), { limits: { slack: 700 } })).result).toEqual(file);
  const byByte = await transfer((_, response, count) =>
    breakAfter(response.writeHead(200, { etag: '"one"', "content-length": SIZE }), file.subarray(0, 100_000 + count)),
  );
  expect(String(byByte.result)).toMatch(/the connection|other side closed|terminated/);
  expect(byByte.ranges).toHaveLength(limits.attempts);
});

test("more than was announced is not handed on", async () => {
  const longer = afterBreak((request, response) =>
    response
      .writeHead(206, { "content-range": `bytes ${firstOf(request)}-${SIZE - 1}/${SIZE}`, etag: '"one"' })
      .end(Buffer.concat([file.subarray(firstOf(request)), Buffer.alloc(10)])),
  );
  expect(String((await transfer(longer)).result)).toMatch(/more than the 300000 bytes that were announced/);
});

test.each([501, 505])("%s is no answer of the moment", async (status) => {
  const { result, ranges } = await transfer((_, response) => response.writeHead(status).end());
  expect(String(result)).toContain(`the server answered ${status} ${STATUS_CODES[status]}`);
  expect(ranges).toHaveLength(1);
});
