import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { httpSource } from "../../../../src/system/network/http-source.ts";
import { noise } from "../../../support/update-images.ts";

const file = noise(300_000, "http");
const patience = { idle: 500, attempts: 4, firstPause: 5, longestPause: 20, connections: 20 };

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** Fetches through a server that answers so. @returns the bytes, or what went wrong; and the ranges that were asked for */
async function transfer(
  answer: Answer,
  path = "/update.tar",
): Promise<{ readonly result: Buffer | Error; readonly ranges: readonly (string | undefined)[] }> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    answer(request, response, ranges.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const { chunks } = httpSource(`http://127.0.0.1:${port}${path}`, new AbortController().signal, patience);
    const got: Buffer[] = [];
    for await (const chunk of chunks) got.push(Buffer.from(chunk));
    return { result: Buffer.concat(got), ranges };
  } catch (error) {
    return { result: error instanceof Error ? error : new Error(String(error)), ranges };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Sends from where the range begins, and breaks the connection after so many bytes. */
const partly =
  (bytes: number, etag: (count: number) => string | undefined = () => '"one"', content: (count: number) => Buffer = () => file): Answer =>
  (request, response, count) => {
    const whole = content(count);
    const mark = etag(count);
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
    const ifRange = request.headers["if-range"];
    const from = range !== undefined && (ifRange === undefined || ifRange === mark) ? Number(range) : 0;
    response.writeHead(from > 0 ? 206 : 200, {
      "content-length": whole.length - from,
      ...(mark === undefined ? {} : { etag: mark }),
      ...(from > 0 ? { "content-range": `bytes ${from}-${whole.length - 1}/${whole.length}` } : {}),
    });
    const piece = whole.subarray(from, from + bytes);
    if (from + piece.length === whole.length) response.end(piece);
    else response.write(piece, () => setTimeout(() => response.destroy(), 20));
  };

test("a file comes whole in one request", async () => {
  const { result, ranges } = await transfer(partly(file.length));
  expect(result).toEqual(file);
  expect(ranges).toEqual([undefined]);
});

test("a transfer that breaks goes on where it stopped", async () => {
  const { result, ranges } = await transfer(partly(110_000));
  expect(result).toEqual(file);
  expect(ranges).toEqual([undefined, "bytes=110000-", "bytes=220000-"]);
});

test("a file without any mark goes on too, as long as its length stays", async () => {
  expect((await transfer(partly(110_000, () => undefined))).result).toEqual(file);
  const shrunk = partly(
    110_000,
    () => undefined,
    (count) => (count === 1 ? file : file.subarray(0, 250_000)),
  );
  expect(String((await transfer(shrunk)).result)).toMatch(/changed while it was being received/);
});

test("a file that changed in between is noticed", async () => {
  const changed = partly(
    110_000,
    (count) => (count === 1 ? '"one"' : '"two"'),
    (count) => (count === 1 ? file : noise(300_000, "other")),
  );
  expect(String((await transfer(changed)).result)).toMatch(/changed while it was being received/);
});

test("a server that knows no ranges sends everything again, and what is there already is skipped", async () => {
  const answer: Answer = (_, response, count) => {
    response.writeHead(200, { "content-length": file.length, etag: '"one"' });
    if (count > 1) response.end(file);
    else response.write(file.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 20));
  };
  expect((await transfer(answer)).result).toEqual(file);
});

test("a server that is busy for a moment is asked again, one that is busy for ever is given up", async () => {
  const moment: Answer = (request, response, count) =>
    count < 3 ? void response.writeHead(503).end() : partly(file.length)(request, response, count);
  expect((await transfer(moment)).result).toEqual(file);
  const { result, ranges } = await transfer((_, response) => void response.writeHead(503).end());
  expect(String(result)).toMatch(/503/);
  expect(ranges).toHaveLength(patience.attempts);
});

test("a server that says nothing more is not waited for without a bound", async () => {
  const silent: Answer = (request, response, count) => {
    if (count > 1) return partly(file.length)(request, response, count);
    response.writeHead(200, { "content-length": file.length, etag: '"one"' });
    response.write(file.subarray(0, 1000));
    return undefined;
  };
  expect((await transfer(silent)).result).toEqual(file);
  expect(String((await transfer(() => undefined)).result)).toMatch(/nothing came for 0\.5 s/);
});

test("what no patience cures ends at once", async () => {
  for (const [status, headers] of [
    [404, {}],
    [403, {}],
    [200, { "content-encoding": "gzip" }],
    [206, { "content-range": "bytes 5-9/10" }],
  ] as const) {
    const { result, ranges } = await transfer((_, response) => void response.writeHead(status, headers).end("x"));
    expect(String(result)).toMatch(/cannot receive/);
    expect(ranges).toHaveLength(1);
  }
});

test("a part that begins somewhere else is not taken", async () => {
  const answer: Answer = (request, response, count) => {
    if (count === 1) return partly(1000)(request, response, count);
    response.writeHead(206, { etag: '"one"', "content-length": 10, "content-range": `bytes 5-14/${file.length}` }).end(Buffer.alloc(10));
    return undefined;
  };
  expect(String((await transfer(answer)).result)).toMatch(/a part that begins at byte 5/);
});

test("what may be secret in an address is not shown", async () => {
  const { result } = await transfer((_, response) => void response.writeHead(404).end(), "/update.tar?token=canary");
  expect(String(result)).toMatch(/update\.tar/);
  expect(String(result)).not.toMatch(/canary/);
});
