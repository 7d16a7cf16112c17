import { SocketAddress } from "node:net";
import { join } from "node:path";
import { UDEV_CONTROL, UDEV_DATA, UDEV_QUEUE } from "../disks/device-event.ts";
import type { Host } from "../host.ts";

/** A network interface with hardware behind it. */
export interface NetworkInterface {
  readonly name: string;
  /** The kernel's number for it, as in `ip link`. */
  readonly index: number;
  /** The address assigned by the maker, lower-case, colon-separated. Absent where another one is set now. */
  readonly mac?: string;
  /** The device's place below /sys/devices: "pci0000:00/0000:00:02.0". Without virtio's numbers, which depend on the order of discovery. */
  readonly path: string;
}

/** An IPv6 address in the kernel's table. */
export interface Ipv6Address {
  /** In the canonical form of `canonicalIp`. */
  readonly address: string;
  readonly prefixLength: number;
  readonly interfaceIndex: number;
  readonly scope: "global" | "other";
  /** Not usable yet, or never: duplicate detection still runs, or has found another node with this address. */
  readonly tentative: boolean;
  readonly duplicate: boolean;
  /** Past its preferred lifetime: not for new connections (RFC 4862, 5.5.4). */
  readonly deprecated: boolean;
}

const CLASS = "/sys/class/net";
/** linux/if_arp.h */
const ARPHRD_ETHER = 1;
/**
 * linux/netdevice.h, as addr_assign_type shows it (Documentation/ABI/testing/sysfs-class-net): the device's own address, not a generated or
 * assigned one.
 */
const NET_ADDR_PERM = 0;
/** linux/if_addr.h */
const IFA_F_DADFAILED = 0x08;
const IFA_F_DEPRECATED = 0x20;
const IFA_F_TENTATIVE = 0x40;

/**
 * The Ethernet interfaces of devices (not a bridge, a tunnel or a veth): those that may connect a node. Sorted by name, with numbers
 * compared as numbers, so that enp2s0 comes before enp10s0; no two are equal.
 */
export async function networkInterfaces(host: Host): Promise<readonly NetworkInterface[]> {
  const names = ((await host.list(CLASS)) ?? []).toSorted((one, two) => (sortKey(one) < sortKey(two) ? -1 : 1));
  const found: NetworkInterface[] = [];
  for (const name of names) {
    const type = Number(await host.readText(join(CLASS, name, "type")));
    if (type !== ARPHRD_ETHER || (await host.readLink(join(CLASS, name, "device"))) === undefined) continue;
    const index = await host.readText(join(CLASS, name, "ifindex"));
    const mac = await host.readText(join(CLASS, name, "address"));
    // Removed since the listing.
    if (index === undefined || mac === undefined) continue;
    const isMakers = Number(await host.readText(join(CLASS, name, "addr_assign_type"))) === NET_ADDR_PERM;
    const path = devicePath(name, await host.readLink(join(CLASS, name)));
    found.push({ name, index: Number(index), path, ...(isMakers ? { mac: mac.trim() } : {}) });
  }
  return found;
}

/** An interface without hardware behind it, such as a bridge; `undefined` when there is none of that name. */
export async function virtualInterface(host: Host, name: string): Promise<NetworkInterface | undefined> {
  const index = await host.readText(join(CLASS, name, "ifindex"));
  return index === undefined ? undefined : { name, index: Number(index), path: name };
}

/** The part of "../../devices/pci0000:00/0000:00:02.0/virtio0/net/enp0s2" that is the same at every boot. */
function devicePath(name: string, link = ""): string {
  const [, path = name] = /(?:^|\/)devices\/(.+)\/net\/[^/]+$/.exec(link) ?? [];
  return path.replace(/\/virtio\d+$/, "");
}

/** Whether an interface of that name exists, of any kind. */
export async function isInterface(host: Host, name: string): Promise<boolean> {
  return (await host.list(join(CLASS, name))) !== undefined;
}

/** Sorts "enp2s0" before "enp10s0". Not by Intl.Collator: a process needs longer to make its first one than most units take. */
function sortKey(name: string): string {
  return name.replaceAll(/\d+/g, (digits) => digits.padStart(10, "0"));
}

/**
 * True once udev has finished with the interface: until then its name may change. networkd waits for the same mark
 * (sd_device_get_is_initialized(3)). A machine without udev renames nothing.
 */
export async function isNameFinal(host: Host, { index }: Pick<NetworkInterface, "index">): Promise<boolean> {
  if ((await host.stat(UDEV_CONTROL)) === undefined) return true;
  return (await host.stat(`${UDEV_DATA}/n${index}`)) !== undefined;
}

/** Whether udev has events left. One of them may bring an interface, or its final name. */
export async function isUdevBusy(host: Host): Promise<boolean> {
  return (await host.stat(UDEV_CONTROL)) !== undefined && (await host.stat(UDEV_QUEUE)) !== undefined;
}

/** linux/if.h */
const IFF_UP = 1;

/** Whether the interface has been brought up, with a carrier or without. */
export async function isUp(host: Host, name: string): Promise<boolean> {
  return (Number(await host.readText(join(CLASS, name, "flags"))) & IFF_UP) !== 0;
}

/** Brings the interface up. @returns whether it was down. @throws CommandError */
export async function bringUp(host: Host, name: string): Promise<boolean> {
  if (await isUp(host, name)) return false;
  await host.run({ program: "ip", args: ["link", "set", "dev", name, "up"] });
  return true;
}

/** @throws CommandError */
export async function bringDown(host: Host, name: string): Promise<void> {
  await host.run({ program: "ip", args: ["link", "set", "dev", name, "down"] });
}

/** True when the interface is up and a device is at the other end of the cable. */
export async function hasCarrier(host: Host, name: string): Promise<boolean> {
  try {
    return (await host.readText(join(CLASS, name, "carrier")))?.trim() === "1";
  } catch (error) {
    // The kernel answers EINVAL for an interface that is not up (Documentation/ABI/testing/sysfs-class-net).
    if (error instanceof Error && "code" in error && error.code === "EINVAL") return false;
    throw error;
  }
}

/** All IPv6 addresses of the machine. Empty when the kernel has no IPv6. */
export async function ipv6Addresses(host: Host): Promise<readonly Ipv6Address[]> {
  return parseIfInet6((await host.readText("/proc/net/if_inet6")) ?? "");
}

/** Why the interface cannot have an IPv6 address, in words; `undefined` when it can. */
export async function ipv6Off(host: Host, name: string): Promise<string | undefined> {
  if ((await host.readText("/proc/net/if_inet6")) === undefined) return "a kernel without IPv6 (ipv6.disable= on its command line?)";
  const disabled = await host.readText(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`);
  return disabled?.trim() === "1" ? `the sysctl net.ipv6.conf.${name}.disable_ipv6 is 1` : undefined;
}

/**
 * Parses lines such as "fe80…01 02 40 20 80 eth0": address, then index, prefix length, scope and flags in hexadecimal
 * (net/ipv6/addrconf.c).
 */
export function parseIfInet6(text: string): readonly Ipv6Address[] {
  const found: Ipv6Address[] = [];
  for (const line of text.split("\n")) {
    const [digits, index, prefix, scope, flags] = line.trim().split(/\s+/);
    if (digits === undefined || index === undefined || prefix === undefined || scope === undefined || flags === undefined) continue;
    const bits = Number.parseInt(flags, 16);
    found.push({
      address: canonicalIp(digits.replaceAll(/.{4}(?=.)/g, "$&:")),
      prefixLength: Number.parseInt(prefix, 16),
      interfaceIndex: Number.parseInt(index, 16),
      scope: Number.parseInt(scope, 16) === 0 ? "global" : "other",
      tentative: (bits & IFA_F_TENTATIVE) !== 0,
      duplicate: (bits & IFA_F_DADFAILED) !== 0,
      deprecated: (bits & IFA_F_DEPRECATED) !== 0,
    });
  }
  return found;
}

/** Whether new connections can be made from and to the address. */
export function isUsable(address: Ipv6Address): boolean {
  return address.scope === "global" && !address.tentative && !address.duplicate && !address.deprecated;
}

/** The canonical form of an IP address (RFC 5952), so that two of them can be compared. @throws when the text is not an address */
export function canonicalIp(text: string): string {
  return new SocketAddress({ address: text, family: text.includes(":") ? "ipv6" : "ipv4" }).address;
}
