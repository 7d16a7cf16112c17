import { expect, test } from "vitest";
import { type AskedIpv4, ipv4Settings, readIpv4Settings } from "../../../../src/config/state/ipv4-settings.ts";
import { guestosLayout } from "../../../../src/config/layout/layout.ts";
import { fakeHost } from "../../../support/fake-host.ts";

const GOOD: AskedIpv4 = { address: "192.0.2.17", prefixLength: "24", gateway: "192.0.2.1" };

test("what the orchestrator asks for is taken in the form of network.conf", () => {
  expect(ipv4Settings(GOOD)).toEqual({ ipv4_address: "192.0.2.17/24", ipv4_gateway: "192.0.2.1" });
  // A single address has no network: its gateway is on the link.
  expect(ipv4Settings({ address: "192.0.2.17", prefixLength: "32", gateway: "198.51.100.1" })).toMatchObject({
    ipv4_address: "192.0.2.17/32",
  });
});

test.each<readonly [keyof AskedIpv4, string]>([
  ...[
    "",
    " ",
    "192.0.2.17/24",
    "192.0.2.17 ",
    "192.0.2",
    "192.0.2.256",
    "0300.0.2.17",
    "0.0.0.0",
    "127.0.0.1",
    "169.254.1.1",
    "224.0.0.1",
  ].map((address) => ["address", address] as const),
  ...["255.255.255.255", "2001:db8::1", "192.0.2.17\n[Route]\nGateway=1.2.3.4", "192.0.2.17\0", "x".repeat(10_000)].map(
    (address) => ["address", address] as const,
  ),
  ...["", "0", "33", "-1", "024", "24 ", "2e1", "0x18", "24\n", "255.255.255.0"].map((length) => ["prefixLength", length] as const),
  ...["", "198.51.100.1", "192.0.2.17", "192.0.2.255", "::1", "192.0.2.1%eth0", "192.0.2.1\n"].map(
    (gateway) => ["gateway", gateway] as const,
  ),
])("%s %j cannot be used, and is named", (name, value) => {
  expect(ipv4Settings({ ...GOOD, [name]: value })).toMatchObject({ name });
});

test("a file that this program did not write gives no settings", async () => {
  const reading = (text: string): ReturnType<typeof readIpv4Settings> =>
    readIpv4Settings(fakeHost({ files: { [guestosLayout.runFiles.ipv4]: text } }), guestosLayout);
  for (const text of ["", "{", "[]", "null", '{"ipv4_address":1}']) expect(await reading(text), text).toBeUndefined();
  expect(await reading('{"ipv4_address":"192.0.2.17/24","ipv4_gateway":"192.0.2.1"}')).toMatchObject({ ipv4_gateway: "192.0.2.1" });
  expect(await readIpv4Settings(fakeHost(), guestosLayout)).toBeUndefined();
});
