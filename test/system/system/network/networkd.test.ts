import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { systemHost } from "../../../../src/system/host.ts";
import { waitForLink } from "../../../../src/system/network/networkd.ts";
import { type PrivateBus, privateBus } from "../../../support/private-bus.ts";

const host = systemHost({ signal: new AbortController().signal });
let bus: PrivateBus;

beforeAll(async () => {
  bus = await privateBus();
  await bus.serve("org.freedesktop.network1", (member) =>
    member === "GetLinkByIndex"
      ? { signature: "so", body: ["eth0", "/org/freedesktop/network1/link/_32"] }
      : {
          signature: "s",
          body: ['{"Index":2,"Name":"eth0","AdministrativeState":"configuring","OperationalState":"carrier","CarrierState":"carrier"}'],
        },
  );
});
afterAll(async () => bus.stop());

test("the wait for a link ends in time also when the clock is set back meanwhile, as it is once time servers are reached", async () => {
  let hours = 0;
  // clock_settime(2): setting CLOCK_REALTIME moves what Date.now() says, and not CLOCK_MONOTONIC.
  const clock = vi.spyOn(Date, "now").mockImplementation(() => 2e12 - 3_600_000 * (hours += 1));
  const { reached } = await waitForLink(host, 2, { within: 100, reached: () => false });
  clock.mockRestore();
  expect(reached).toBe(false);
});
