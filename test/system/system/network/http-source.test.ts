import { expect, test } from "vitest";
import { type Answer, file, partly, limits, transfer } from "../../../support/http-transfer.ts";
import { noise } from "../../../support/update-images.ts";

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

test("a server that is busy for a moment is asked again, one that is busy forever is given up", async () => {
  const moment: Answer = (request, response, count) =>
    count < 3 ? void response.writeHead(503).end() : partly(file.length)(request, response, count);
  expect((await transfer(moment)).result).toEqual(file);
  const { result, ranges } = await transfer((_, response) => void response.writeHead(503).end());
  expect(String(result)).toMatch(/503/);
  expect(ranges).toHaveLength(limits.attempts);
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

test("what no retry can cure ends at once", async () => {
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

test("a part that leaves something out is not taken", async () => {
  const answer: Answer = (request, response, count) => {
    if (count === 1) return partly(1000)(request, response, count);
    return response
      .writeHead(206, { etag: '"one"', "content-length": 10, "content-range": `bytes 1005-1014/${file.length}` })
      .end(Buffer.alloc(10));
  };
  expect(String((await transfer(answer)).result)).toMatch(/a part that begins at byte 1005/);
});

test("what may be secret in an address is not shown", async () => {
  const { result } = await transfer((_, response) => response.writeHead(404).end(), { path: "/update.tar?token=canary" });
  expect(String(result)).toMatch(/update\.tar/);
  expect(String(result)).not.toMatch(/canary/);
});
