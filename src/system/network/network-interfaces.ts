import { SocketAddress } from "node:net";
import { join } from "node:path";
import { UDEV_CONTROL, UDEV_DATA } from "../disks/device-event.ts";
import type { Host } from "../host.ts";

/** A network interface with hardware behind it. */
export interface NetworkInterface {
  readonly name: string;
  /** The kernel's number for it, as in `ip link`. */
  readonly index: number;
  /** The address that its maker gave it, lower-case, colon-separated. Not there where it has another one now. */
  readonly mac?: string;
  /** Where the device is, below /sys/devices: "pci0000:00/0000:00:02.0". Without the numbers that virtio gives in the order of discovery. */
  readonly path: string;
}

/** An IPv6 address as the kernel holds it. */
export interface Ipv6Address {
  /** In the one spelling of `canonicalIp`. */
  readonly address: string;
  readonly prefixLength: number;
  readonly interfaceIndex: number;
  readonly scope: "global" | "other";
  /** Not yet, or never, an address: duplicate detection still runs, or has found another node with it. */
  readonly tentative: boolean;
  readonly duplicate: boolean;
  /** Past its preferred lifetime: not to be used for anything new (RFC 4862, 5.5.4). */
  readonly deprecated: boolean;
}

const CLASS = "/sys/class/net";
/** linux/if_arp.h */
const ARPHRD_ETHER = 1;
/** linux/netdevice.h, as addr_assign_type shows it (Documentation/ABI/testing/sysfs-class-net): the device's own, and not made up or set. */
const NET_ADDR_PERM = 0;
/** linux/if_addr.h */
const IFA_F_DADFAILED = 0x08;
const IFA_F_DEPRECATED = 0x20;
const IFA_F_TENTATIVE = 0x40;

/**
 * The Ethernet interfaces that stand for a device (not a bridge, a tunnel or a veth): those over which a node may be reached.
 * In the order of their names, with numbers compared as numbers, so that enp2s0 comes before enp10s0; no two are equal.
 */
export async function networkInterfaces(host: Host): Promise<readonly NetworkInterface[]> {
  const names = ((await host.list(CLASS)) ?? []).toSorted((one, two) => (sortKey(one) < sortKey(two) ? -1 : 1));
  const found: NetworkInterface[] = [];
  for (const name of names) {
    const type = Number(await host.readText(join(CLASS, name, "type")));
    if (type !== ARPHRD_ETHER || (await host.readLink(join(CLASS, name, "device"))) === undefined) continue;
    const index = await host.readText(join(CLASS, name, "ifindex"));
    const mac = await host.readText(join(CLASS, name, "address"));
    // Gone between the listing and now.
    if (index === undefined || mac === undefined) continue;
    const isMakers = Number(await host.readText(join(CLASS, name, "addr_assign_type"))) === NET_ADDR_PERM;
    const path = devicePath(name, await host.readLink(join(CLASS, name)));
    found.push({ name, index: Number(index), path, ...(isMakers ? { mac: mac.trim() } : {}) });
  }
  return found;
}

/** Of "../../devices/pci0000:00/0000:00:02.0/virtio0/net/enp0s2", what is the same at every boot. */
function devicePath(name: string, link = ""): string {
  const [, path = name] = /(?:^|\/)devices\/(.+)\/net\/[^/]+$/.exec(link) ?? [];
  return path.replace(/\/virtio\d+$/, "");
}

/** Whether there is one of that name, of whatever kind. */
export async function isInterface(host: Host, name: string): Promise<boolean> {
  return (await host.list(join(CLASS, name))) !== undefined;
}

/** "enp2s0" before "enp10s0". Not by Intl.Collator: the first one that a process makes takes longer than most units. */
function sortKey(name: string): string {
  return name.replaceAll(/\d+/g, (digits) => digits.padStart(10, "0"));
}

/**
 * True once udev is done with the interface: until then it may still get another name. networkd waits for the same mark
 * (sd_device_get_is_initialized(3)). A machine without udev renames nothing.
 */
export async function isNameFinal(host: Host, { index }: Pick<NetworkInterface, "index">): Promise<boolean> {
  if ((await host.stat(UDEV_CONTROL)) === undefined) return true;
  return (await host.stat(`${UDEV_DATA}/n${index}`)) !== undefined;
}

/** True when the interface is up and something is at the other end of the cable. */
export async function hasCarrier(host: Host, name: string): Promise<boolean> {
  try {
    return (await host.readText(join(CLASS, name, "carrier")))?.trim() === "1";
  } catch (error) {
    // The kernel answers EINVAL for an interface that is not up (Documentation/ABI/testing/sysfs-class-net).
    if (error instanceof Error && "code" in error && error.code === "EINVAL") return false;
    throw error;
  }
}

/** All IPv6 addresses of the machine. None when the kernel has no IPv6. */
export async function ipv6Addresses(host: Host): Promise<readonly Ipv6Address[]> {
  return parseIfInet6((await host.readText("/proc/net/if_inet6")) ?? "");
}

/** Why the interface cannot have any IPv6 address, in words; `undefined` when it can. */
export async function ipv6Off(host: Host, name: string): Promise<string | undefined> {
  if ((await host.readText("/proc/net/if_inet6")) === undefined) return "a kernel without IPv6 (ipv6.disable= on its command line?)";
  const disabled = await host.readText(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`);
  return disabled?.trim() === "1" ? `the sysctl net.ipv6.conf.${name}.disable_ipv6 is 1` : undefined;
}

/** Lines as "fe80…01 02 40 20 80 eth0": address, then index, prefix length, scope and flags in hexadecimal (net/ipv6/addrconf.c). */
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

/** An address that new connections can be made from and to. */
export function isUsable(address: Ipv6Address): boolean {
  return address.scope === "global" && !address.tentative && !address.duplicate && !address.deprecated;
}

/** The one spelling of an IP address (RFC 5952), so that two of them can be compared. @throws when the text is no address */
export function canonicalIp(text: string): string {
  return new SocketAddress({ address: text, family: text.includes(":") ? "ipv6" : "ipv4" }).address;
}
