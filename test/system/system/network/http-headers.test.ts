import { expect, test } from "vitest";
import type { RequestHeader } from "../../../../src/system/files/header-file.ts";
import { Secret } from "../../../../src/base/secret.ts";
import { type Answer, file, partly, transfer } from "../../../support/http-transfer.ts";

const TOKEN = "canary-of-the-headers";
const secret: readonly RequestHeader[] = [{ name: "X-Token", value: new Secret(Buffer.from(TOKEN)) }];

test("secret headers are sent with each request of a transfer", async () => {
  const { result, requests } = await transfer(partly(110_000), { secret });
  expect(result).toEqual(file);
  expect(requests.map(({ headers }) => headers["x-token"])).toEqual([TOKEN, TOKEN, TOKEN]);
});

// Fetch takes Authorization away from a request to another origin, and no other header.
test("they go to the server that was named, and to no other one", async () => {
  const elsewhere: (string | string[] | undefined)[] = [];
  const other: Answer = (request, response, count) => {
    elsewhere.push(request.headers["x-token"]);
    return partly(file.length)(request, response, count);
  };
  const answer: Answer = (request, response, count) => {
    if (request.headers.host?.startsWith("localhost") === true) return other(request, response, count);
    const there = `http://localhost:${request.socket.localPort}/there`;
    return response.writeHead(302, { location: request.url === "/near" ? there : "/near" }).end();
  };
  const { result, requests } = await transfer(answer, { secret });
  expect(result).toEqual(file);
  expect(requests.map(({ headers }) => headers["x-token"])).toEqual([TOKEN, TOKEN, undefined]);
  expect(elsewhere).toEqual([undefined]);
});

test("a server that repeats them is not quoted", async () => {
  const answers: readonly Answer[] = [
    (_, response) => response.writeHead(403, `no ${TOKEN}`).end(),
    (_, response) => response.writeHead(503, `no ${TOKEN}`).end(),
    (_, response) => response.writeHead(200, { "content-encoding": TOKEN }).end(),
    (_, response) => response.writeHead(206, { "content-range": TOKEN }).end(),
    (_, response) => response.writeHead(302, { location: `ftp://host/${TOKEN}` }).end(),
    (request, response, count) => partly(1000, () => (count === 1 ? '"one"' : `"${TOKEN}"`))(request, response, count),
  ];
  for (const answer of answers) {
    const said = String((await transfer(answer, { secret })).result);
    expect(said).toContain("[secret]");
    expect(said).not.toContain(TOKEN);
  }
});

// RFC 9110, 15.5.2.
test("401 says how to tell the server who asks", async () => {
  const { result } = await transfer((_, response) => response.writeHead(401).end());
  expect(result instanceof Error && "problem" in result ? JSON.stringify(result.problem) : "").toContain("--header-file FILE");
});
