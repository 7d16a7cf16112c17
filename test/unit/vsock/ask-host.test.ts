import { expect, test } from "vitest";
import { askHost } from "../../../src/vsock/ask-host.ts";
import { fakeHost } from "../../support/fake-host.ts";

const SOCAT = "socat -t 300 - VSOCK-CONNECT:2:19090";
const question = { command: "GetHostOSVersion", cid: 3, port: 19_090 } as const;

test("the host's answer is returned", async () => {
  const host = fakeHost({ commands: { [SOCAT]: '{"Ok":{"HostOSVersion":"1.2"}}\n' } });
  expect(await askHost(host, question)).toEqual({ HostOSVersion: "1.2" });
  expect(host.effects).toEqual([`run ${SOCAT}`]);
});

test.each([
  ['{"Err":"no such\\u001b[2J device"}', /the host has not done it: found no such\?\[2J device/],
  ["", /is not understood: found no reply/],
  ["{", /is not understood: found "\{"/],
  ['{"Ok":"Payload"}', /is not understood/],
  ['{"message":"accepted request","status":"ok"}', /is not understood/],
])("%j is an error", async (reply, why) => {
  await expect(askHost(fakeHost({ commands: { [SOCAT]: reply } }), question)).rejects.toThrow(why);
});

test("a host that is not there is told with what to check", async () => {
  const host = fakeHost({
    commands: { [SOCAT]: { status: 1, stderr: "socat[7] E connect(5, AF=40 cid:2 port:19090, 16): Connection reset by peer\n" } },
  });
  await expect(askHost(host, question)).rejects.toMatchObject({
    problem: { code: "tool-failed", found: expect.stringContaining("Connection reset"), todo: expect.stringContaining("/dev/vsock") },
  });
});
