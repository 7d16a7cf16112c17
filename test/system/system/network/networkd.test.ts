import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { systemHost } from "../../../../src/system/host.ts";
import type { LinkDescription } from "../../../../src/system/network/link-description.ts";
import { reloadLink, waitForLink } from "../../../../src/system/network/networkd.ts";
import { type FakeService, type PrivateBus, privateBus } from "../../../support/private-bus.ts";

const host = systemHost({ signal: new AbortController().signal });
let bus: PrivateBus;
let networkd: FakeService;
/** What networkd says of the link (networkctl(1)). */
let state: string;

beforeAll(async () => {
  bus = await privateBus();
  networkd = await bus.serve("org.freedesktop.network1", (member) => {
    if (member === "GetLinkByIndex") return { signature: "so", body: ["eth0", "/org/freedesktop/network1/link/_32"] };
    if (member !== "DescribeLink") return "empty";
    const link = { Index: 2, Name: "eth0", AdministrativeState: state, OperationalState: "carrier", CarrierState: "carrier" };
    return { signature: "s", body: [JSON.stringify(link)] };
  });
});
beforeEach(() => void (state = "configuring"));
afterAll(async () => bus.stop());

const requests = (): readonly string[] => networkd.calls.filter((member) => member.startsWith("Re"));
const isConfigured = ({ administrativeState }: LinkDescription): boolean => administrativeState === "configured";

test("a networkd that works on the link for long is not told to begin again; one that has failed is", async () => {
  const reloaded = reloadLink(host, 2, { within: 100, reached: isConfigured });
  await wait(7_000);
  expect(requests()).toEqual(["Reload"]);
  state = "configured";
  expect(await reloaded).toMatchObject({ reached: true });
  expect(requests()).toEqual(["Reload"]);
  state = "failed";
  expect(await reloadLink(host, 2, { within: 100, reached: isConfigured })).toMatchObject({ reached: false });
  expect(requests()).toEqual(["Reload", "Reload", "ReconfigureLink"]);
});

test("the wait for a link ends in time also when the clock is set back meanwhile, as it is once time servers are reached", async () => {
  let hours = 0;
  // clock_settime(2): setting CLOCK_REALTIME moves what Date.now() says, and not CLOCK_MONOTONIC.
  const clock = vi.spyOn(Date, "now").mockImplementation(() => 2e12 - 3_600_000 * (hours += 1));
  const { reached } = await waitForLink(host, 2, { within: 100, reached: () => false });
  clock.mockRestore();
  expect(reached).toBe(false);
});
