import { expect, test } from "vitest";
import {
  canonicalIp,
  hasCarrier,
  ipv6Addresses,
  isNameFinal,
  isUsable,
  networkInterfaces,
  parseIfInet6,
} from "../../../../src/system/network/network-interfaces.ts";
import { type FakeMachine, fakeHost } from "../../../support/fake-host.ts";

/** What /sys shows of an interface. */
function sysfs(
  name: string,
  {
    index = 2,
    type = 1,
    device = true,
    assigned = 0,
    at = "",
  }: { index?: number; type?: number; device?: boolean; assigned?: number; at?: string } = {},
): FakeMachine {
  const folder = `/sys/class/net/${name}`;
  return {
    files: {
      [`${folder}/type`]: `${type}\n`,
      [`${folder}/ifindex`]: `${index}\n`,
      [`${folder}/address`]: "52:54:00:12:34:56\n",
      [`${folder}/addr_assign_type`]: `${assigned}\n`,
    },
    links: {
      ...(device ? { [`${folder}/device`]: "../../../virtio0" } : {}),
      ...(at === "" ? {} : { [folder]: `../../devices/${at}/net/${name}` }),
    },
  };
}

function machine(...parts: readonly FakeMachine[]): FakeMachine {
  return { files: Object.assign({}, ...parts.map(({ files }) => files)), links: Object.assign({}, ...parts.map(({ links }) => links)) };
}

test("cards are in the order of their names, with numbers in them compared as numbers", async () => {
  const host = fakeHost(machine(sysfs("enp10s0", { index: 2 }), sysfs("enp2s0", { index: 3 })));
  expect((await networkInterfaces(host)).map(({ name, index }) => `${name} ${index}`)).toEqual(["enp2s0 3", "enp10s0 2"]);
});

test("loopback, tunnels, and Ethernet without a device (bridges, veth) are no cards", async () => {
  const host = fakeHost(machine(sysfs("br0", { device: false }), sysfs("ib0", { type: 32 }), sysfs("lo", { type: 772, device: false })));
  expect(await networkInterfaces(host)).toEqual([]);
  expect(await networkInterfaces(fakeHost())).toEqual([]);
});

test.each([
  // virtio devices are numbered as they are found; the place is the PCI function's (Documentation/PCI/sysfs-pci.rst).
  ["pci0000:00/0000:00:02.0/virtio7", "pci0000:00/0000:00:02.0"],
  ["pci0000:00/0000:00:1c.4/0000:05:00.0", "pci0000:00/0000:00:1c.4/0000:05:00.0"],
  ["pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0", "pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0"],
])("a card at %s is found again at %s", async (at, path) => {
  expect(await networkInterfaces(fakeHost(sysfs("eth0", { at })))).toEqual([{ name: "eth0", index: 2, mac: "52:54:00:12:34:56", path }]);
});

test.each([
  // linux/netdevice.h: NET_ADDR_RANDOM, NET_ADDR_STOLEN, NET_ADDR_SET
  1, 2, 3,
])("an address that is not the device's own (addr_assign_type %i) is not what it is known by", async (assigned) => {
  expect(await networkInterfaces(fakeHost(sysfs("eth0", { assigned, at: "pci0000:00/0000:00:02.0" })))).toEqual([
    { name: "eth0", index: 2, path: "pci0000:00/0000:00:02.0" },
  ]);
});

test("a name is final once udev has a record of the interface, or when there is no udev", async () => {
  const link = { index: 2 };
  expect(await isNameFinal(fakeHost(), link)).toBe(true);
  expect(await isNameFinal(fakeHost({ files: { "/run/udev/control": "" } }), link)).toBe(false);
  expect(await isNameFinal(fakeHost({ files: { "/run/udev/control": "", "/run/udev/data/n2": "" } }), link)).toBe(true);
});

test("an interface that is down has no carrier, and other errors are not taken for that", async () => {
  const failing = (code: string): ReturnType<typeof fakeHost> => ({
    ...fakeHost(),
    readText: async () => Promise.reject(Object.assign(new Error(code), { code })),
  });
  expect(await hasCarrier(failing("EINVAL"), "eth0")).toBe(false);
  await expect(hasCarrier(failing("EIO"), "eth0")).rejects.toThrow("EIO");
  expect(await hasCarrier(fakeHost({ files: { "/sys/class/net/eth0/carrier": "1\n" } }), "eth0")).toBe(true);
  expect(await hasCarrier(fakeHost({ files: { "/sys/class/net/eth0/carrier": "0\n" } }), "eth0")).toBe(false);
});

const IF_INET6 = `fe80000000000000505400fffe123456 02 40 20 80     eth0
20010db8000000000000000000000017 02 40 00 80     eth0
20010db8000000000000000000000018 02 40 00 c0     eth0
20010db8000000000000000000000019 02 40 00 c8     eth0
20010db800000000000000000000001a 0a 40 00 20     eth1
00000000000000000000000000000001 01 80 10 80       lo
`;

test("only global addresses that are neither tentative, duplicate nor deprecated can be used", () => {
  expect(parseIfInet6(IF_INET6).filter(isUsable)).toEqual([
    {
      address: "2001:db8::17",
      prefixLength: 64,
      interfaceIndex: 2,
      scope: "global",
      tentative: false,
      duplicate: false,
      deprecated: false,
    },
  ]);
});

test("the flags of the kernel are told apart", () => {
  const [link, , tentative, duplicate, deprecated, loopback] = parseIfInet6(IF_INET6);
  expect(link).toMatchObject({ address: "fe80::5054:ff:fe12:3456", scope: "other" });
  expect(tentative).toMatchObject({ tentative: true, duplicate: false });
  expect(duplicate).toMatchObject({ tentative: true, duplicate: true });
  expect(deprecated).toMatchObject({ deprecated: true, interfaceIndex: 10 });
  expect(loopback).toMatchObject({ address: "::1", prefixLength: 128 });
});

test("a kernel without IPv6 has no addresses", async () => {
  expect(await ipv6Addresses(fakeHost())).toEqual([]);
});

test("every spelling of an address becomes the same one", () => {
  expect(canonicalIp("2001:0DB8:0:0:0::0017")).toBe("2001:db8::17");
  expect(canonicalIp("192.0.2.1")).toBe("192.0.2.1");
  expect(() => canonicalIp("192.0.2.999")).toThrow();
});
