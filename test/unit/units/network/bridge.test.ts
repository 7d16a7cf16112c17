import { expect, test, vi } from "vitest";
import { profiles } from "../../../../src/profiles/profiles.ts";
import { bridge } from "../../../../src/units/network/bridge.ts";
import { fakeHost } from "../../../support/fake-host.ts";
import { testMachine } from "../../../support/test-machine.ts";

const { layout } = profiles.hostos;
const CARD = {
  "/sys/class/net/enp1s0/type": "1\n",
  "/sys/class/net/enp1s0/ifindex": "2\n",
  "/sys/class/net/enp1s0/address": "52:54:00:12:34:56\n",
};

/** A HostOS with that configuration. */
const machine = (settings: object, files: Readonly<Record<string, string>> = {}) =>
  testMachine(
    fakeHost({
      files: { "/boot/config/config.json": JSON.stringify({ config_version: "1.17.0", icos_settings: settings }), ...files },
      links: { "/sys/class/net/enp1s0/device": "../../../0000:00:01.0" },
    }),
    layout,
  );
const known = { mgmt_mac: "b0:7b:25:c8:f6:c0", deployment_environment: "mainnet" };

test("a host without a network card is told to look at the machine, and tried again: its driver may be late", async () => {
  await expect(bridge.plan(machine(known))).rejects.toMatchObject({
    retryable: true,
    problem: {
      code: "no-network-interface",
      found: "no Ethernet device in /sys/class/net",
      todo: "see that the machine has a network card, and that its driver is in the image: lspci -k",
    },
  });
});

test("a card to which a busy udev comes after minutes is put on the bridge", async () => {
  vi.useFakeTimers();
  try {
    const host = machine(known, { ...CARD, "/run/udev/control": "", "/run/udev/queue": "" });
    const plan = bridge.plan(host);
    await vi.advanceTimersByTimeAsync(200_000);
    host.host.files.set("/run/udev/data/n2", "");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await plan).toContainEqual(expect.objectContaining({ description: expect.stringContaining("put enp1s0 on the bridge br6") }));
  } finally {
    vi.useRealTimers();
  }
});

test.each([
  { ...known, mgmt_mac: null },
  { ...known, deployment_environment: "another" },
])("without an address that can be computed, there is no bridge: %j", async (settings) => {
  await expect(bridge.plan(machine(settings, CARD))).rejects.toMatchObject({
    problem: { code: "host-address-unknown", where: { file: "/boot/config/config.json" } },
  });
});
