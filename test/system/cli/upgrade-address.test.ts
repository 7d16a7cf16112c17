import { chmodSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Ended, Fixture } from "../../support/fixture-process.ts";
import { imageTar, sha256Of, smallImage } from "../../support/update-images.ts";
import { argumentsOf, verifyWithHeaders } from "../../support/documented/elsewhere.ts";
import { canary } from "../../support/canaries.ts";

const TOKEN = canary("the token for a server", "canary-token-0f3a91");

const image = imageTar(smallImage);
const requests: IncomingMessage[] = [];
const server = createServer((request, response) => {
  requests.push(request);
  const isKnown = request.headers["x-token"] === TOKEN;
  response.writeHead(isKnown ? 200 : 401).end(isKnown ? image : "");
});
let fixture: Fixture;
let address: string;

beforeEach(async () => {
  fixture = new Fixture();
  requests.length = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  address = `127.0.0.1:${port}/update.tar`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const verify = async (...args: readonly string[]): Promise<Ended> => fixture.run("upgrade", "verify", "--insecure", ...args);

// sysexits and docs/operator.md: 2 is what is wrong with the line that was typed. Nothing is asked for then.
const WITH_USER = "an address with a user or a password in it is not accepted";
const NO_ADDRESS = "this is no http(s) address";
test.each([
  ["http://user:canary@127.0.0.1/update.tar", WITH_USER, "http://…@127.0.0.1/update.tar"],
  ["https://canary@host/x?canary", WITH_USER, "https://…@host/x?…"],
  ["http:/user:canary@host/x", WITH_USER, "http:/…@host/x"],
  ["HTTP:///user:canary@host/x", WITH_USER, "HTTP:///…@host/x"],
  ["ftp://user:canary@host/x", NO_ADDRESS, "ftp://…@host/x"],
  ["http://user:can/ary:canary@host/", NO_ADDRESS, "http://…"],
  ["http://[::1", NO_ADDRESS, "http://[::1"],
  ["https://", NO_ADDRESS, "https://"],
])("%s is refused at once, as a wrong argument, and no password is shown", async (given, what, shown) => {
  const verb = given.startsWith("https") ? "install" : "verify";
  const { status, stdout, stderr } = await fixture.run("upgrade", verb, "--insecure", "--json", given);
  expect(status, stderr).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({ exitCode: 2, problem: { what, found: `"${shown}"` } });
  expect(stdout + stderr).not.toMatch(/canary|defect/);
});

test("an address in the wrong place is not repeated with its password either", async () => {
  for (const args of [
    ["upgrade", "https://user:canary@host/x"],
    ["https://user:canary@host/x"],
    ["upgrade", "--https://user:canary@host/x"],
  ]) {
    const { status, stderr } = await fixture.run(...args);
    expect(status).toBe(2);
    expect(stderr).toContain("https://…@host/x");
    expect(stderr).not.toContain("canary");
  }
});

test("what the server asks for comes from a file that its owner alone can read", async () => {
  const headers = fixture.path("headers");
  writeFileSync(headers, `X-Token: ${TOKEN}\n`, { mode: 0o600 });
  expect(await verify(`http://${address}`)).toMatchObject({ status: 12 });
  const hash = sha256Of(image);
  const values = { HASH: hash, "/root/headers": headers, "https://host/update.tar.zst": `http://${address}?x=canary` };
  const taken = await fixture.run(...argumentsOf(verifyWithHeaders, values).split(" "));
  expect(taken).toMatchObject({ status: 0, stderr: "" });
  expect(taken.stdout).toContain(`http://${address} is a complete image of version 2.0.0`);
  expect(taken.stdout).not.toContain("canary");

  chmodSync(headers, 0o644);
  const open = await verify("--header-file", headers, `http://${address}`);
  expect(open.status).toBe(12);
  expect(open.stderr.replaceAll(/\s+/g, " ")).toContain(`to do chmod 0600 ${headers}`);
  expect(requests).toHaveLength(2);
});

// RFC 6750, 5.3, and RFC 7617, 4: what is there must not travel in the clear.
test("headers are for https, or for this machine, and for an address at all", async () => {
  const headers = fixture.path("headers");
  writeFileSync(headers, `X-Token: ${TOKEN}\n`, { mode: 0o600 });
  for (const given of ["http://update.invalid/update.tar", "http://127.0.0.1.invalid/", "./update.tar", "-"]) {
    const { status, stderr } = await verify("--header-file", headers, given);
    expect(status, stderr).toBe(2);
    expect(stderr).toContain("--header-file");
  }
});
