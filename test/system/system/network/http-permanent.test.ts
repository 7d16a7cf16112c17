import { createServer } from "node:https";
import { setDefaultCACertificates, getCACertificates } from "node:tls";
import { expect, test } from "vitest";
import { certificateFor } from "../../../support/boundary-node.ts";
import { type Answer, file, partly, limits, transfer } from "../../../support/http-transfer.ts";

const { certificate: cert, key } = certificateFor("localhost");
const overTls: Parameters<typeof transfer>[1] = {
  serve: (listener) => createServer({ cert, key }, listener),
  origin: (port) => `https://localhost:${port}`,
};

/** A try more would take that long at the least. */
const strict = { firstPause: 5000, longestPause: 5000 };

async function onceOnly(options: Parameters<typeof transfer>[1], answer: Answer = partly(file.length)): Promise<string> {
  const begun = performance.now();
  const { result } = await transfer(answer, { ...options, limits: strict });
  expect(performance.now() - begun).toBeLessThan(strict.firstPause);
  return String(result);
}

// RFC 6761, 6.4: names in .invalid never resolve. getaddrinfo(3): EAI_NONAME, which is not EAI_AGAIN.
test("a name that there is not is not asked for again", async () => {
  expect(await onceOnly({ origin: () => "http://update.invalid" })).toMatch(/getaddrinfo ENOTFOUND update\.invalid/);
});

test("a certificate that is not trusted, and a port that speaks no TLS, are not asked again", async () => {
  expect(await onceOnly(overTls)).toMatch(/the server's certificate is not accepted: self-signed certificate/);
  expect(await onceOnly({ origin: (port) => `https://127.0.0.1:${port}` })).toMatch(/ERR_SSL_WRONG_VERSION_NUMBER/);
});

// The Fetch standard, "port blocking".
test("a port that fetch does not ask is not tried again", async () => {
  expect(await onceOnly({ origin: () => "http://127.0.0.1:25" })).toMatch(/bad port/);
});

// RFC 9110, 15.4: "A client SHOULD detect and intervene in cyclical redirections".
test("a circle of redirections ends, and a long way does too", async () => {
  const circle = await transfer((request, response) => response.writeHead(302, { location: request.url === "/a" ? "/b" : "/a" }).end());
  expect(String(circle.result)).toMatch(/a circle of redirections, back to http:\/\/127\.0\.0\.1:\d+\/a/);
  expect(circle.requests).toHaveLength(3);
  const long = await transfer((_, response, count) => response.writeHead(307, { location: `/${count}` }).end());
  expect(String(long.result)).toMatch(/more than 10 redirections/);
  expect(long.requests).toHaveLength(11);
});

test("a redirection is followed each time that the transfer goes on", async () => {
  const { result, requests } = await transfer((request, response, count) =>
    request.url === "/update.tar" ? response.writeHead(301, { location: "/there#part" }).end() : partly(150_000)(request, response, count),
  );
  expect(result).toEqual(file);
  expect(requests.map(({ url }) => url)).toEqual(["/update.tar", "/there", "/update.tar", "/there"]);
});

test.each(["ftp://127.0.0.1/update.tar", "http://user:canary@127.0.0.1/", "http://[::1", "file:///etc/passwd"])(
  "no one follows a redirection to %s, and no password in it is shown",
  async (location) => {
    const { result, requests } = await transfer((_, response) => response.writeHead(302, { location }).end());
    expect(String(result)).toMatch(/a redirection to /);
    expect(String(result)).not.toMatch(/canary/);
    expect(requests).toHaveLength(1);
  },
);

test("what was there a moment ago is asked again: the server goes away in the middle and comes back", async () => {
  const { result, ranges } = await transfer((request, response, count) =>
    count === 2 ? request.socket.resetAndDestroy() : partly(150_000)(request, response, count),
  );
  expect(result).toEqual(file);
  expect(ranges).toEqual([undefined, "bytes=150000-", "bytes=150000-"]);
  expect(limits.attempts).toBeGreaterThan(2);
});

test("a redirection from https to http is not followed: anyone on the way could read along", async () => {
  const before = getCACertificates("default");
  setDefaultCACertificates([...before, cert]);
  try {
    const way: Answer = (_, response) => response.writeHead(302, { location: "http://127.0.0.1/update.tar" }).end();
    expect(await onceOnly(overTls, way)).toMatch(/a redirection away from https/);
    expect((await transfer(partly(file.length), overTls)).result).toEqual(file);
  } finally {
    setDefaultCACertificates(before);
  }
});
