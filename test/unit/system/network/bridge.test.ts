import { expect, test } from "vitest";
import { bridgeFiles, makeBridge, missingOfBridge } from "../../../../src/system/network/bridge.ts";
import { fakeHost } from "../../../support/fake-host.ts";

const wanted = { bridge: "br6", card: "enp1s0", mac: "6a:00:01:02:03:04" };
const NET = "/sys/class/net";

test("networkd is told of the bridge, and that the card is a port of it", () => {
  expect(Object.fromEntries(bridgeFiles(wanted))).toEqual({
    "20-br6.netdev": `# Written by guestos-boot at every boot; the host's config.json has its address.
[NetDev]
Name=br6
Kind=bridge
MACAddress=6a:00:01:02:03:04

[Bridge]
ForwardDelaySec=0
STP=no
`,
    "20-enp1s0.network": `# Written by guestos-boot at every boot; the host's config.json has its address.
[Match]
Name=enp1s0

[Link]
MACAddress=6a:00:01:02:03:04
RequiredForOnline=no

[Network]
Bridge=br6
LLDP=yes
EmitLLDP=yes
LinkLocalAddressing=no
`,
  });
});

const card = (address: string, master?: string, flags = "0x1003"): Parameters<typeof fakeHost>[0] => ({
  files: { [`${NET}/enp1s0/address`]: `${address}\n`, [`${NET}/enp1s0/flags`]: `${flags}\n` },
  links: master === undefined ? {} : { [`${NET}/enp1s0/master`]: `../${master}` },
});
const bridge = { [`${NET}/br6/bridge/stp_state`]: "0\n", [`${NET}/br6/address`]: "6a:00:01:02:03:04\n" };

test.each<readonly [string, Parameters<typeof fakeHost>[0], readonly string[]]>([
  [
    "a machine that has just started",
    card("52:54:00:12:34:56", undefined, "0x1002"),
    ["br6 is not there", "enp1s0 has the address 52:54:00:12:34:56", "enp1s0 is not on it", "enp1s0 is down"],
  ],
  ["a bridge as it is wanted", { ...card(wanted.mac, "br6"), files: { ...card(wanted.mac)?.files, ...bridge } }, []],
  ["a card on another bridge", { ...card(wanted.mac, "br0"), files: { ...card(wanted.mac)?.files, ...bridge } }, ["enp1s0 is on br0"]],
  [
    "a card that was left down",
    { ...card(wanted.mac, "br6", "0x1002"), files: { ...card(wanted.mac, "br6", "0x1002")?.files, ...bridge } },
    ["enp1s0 is down"],
  ],
  [
    "an interface of that name that is no bridge",
    { ...card(wanted.mac, "br6"), files: { ...card(wanted.mac)?.files, [`${NET}/br6/address`]: `${wanted.mac}\n` } },
    ["br6 is no bridge"],
  ],
])("%s", async (_, machine, missing) => {
  expect(await missingOfBridge(fakeHost(machine), wanted)).toEqual(missing);
});

test("the card takes its address while it is down; an existing bridge is not made again", async () => {
  const commands = Object.fromEntries(
    [
      "ip link add name br6 address 6a:00:01:02:03:04 type bridge stp_state 0 forward_delay 0",
      "ip link set dev br6 address 6a:00:01:02:03:04",
      "ip link set dev enp1s0 down",
      "ip link set dev enp1s0 address 6a:00:01:02:03:04 master br6",
      "ip link set dev enp1s0 up",
    ].map((text) => [text, ""]),
  );
  const [add, set, ...rest] = Object.keys(commands).map((text) => `run ${text}`);
  const fresh = fakeHost({ commands });
  await makeBridge(fresh, wanted);
  expect(fresh.effects).toEqual([add, ...rest]);
  const there = fakeHost({ commands, files: bridge });
  await makeBridge(there, wanted);
  expect(there.effects).toEqual([set, ...rest]);
});

test("what the kernel refuses is tried again: it may be busy with the card", async () => {
  const stderr = "RTNETLINK answers: Device or resource busy\n";
  const commands = { "ip link set dev br6 address 6a:00:01:02:03:04": { status: 2, stderr } };
  await expect(makeBridge(fakeHost({ commands, files: bridge }), wanted)).rejects.toMatchObject({ retryable: true, ending: { status: 2 } });
});
