import type { Problem } from "../base/problem.ts";
import type { Layout } from "../config/layout/layout.ts";
import { readNetworkConf } from "../config/node-network.ts";
import { GUEST } from "../guest/description.ts";
import { type GuestState, readGuestState } from "../guest/guest-state.ts";
import { guestPlaces } from "../guest/places.ts";
import { contentOf } from "../system/disks/signature.ts";
import type { Host } from "../system/host.ts";
import { virsh } from "../system/hypervisor/virsh.ts";
import { canonicalIp, ipv6Addresses, isUsable, virtualInterface } from "../system/network/network-interfaces.ts";
import { ipv6Gateways, missedAnswer } from "../system/network/neighbour.ts";
import { requireBootedSlot } from "../upgrade/booted-slot.ts";
import type { HealthCheck } from "../upgrade/health.ts";
import { SETTLED } from "../upgrade/patience.ts";
import { readSlotRecord } from "../upgrade/slot-state.ts";

/**
 * What a HostOS must be able to do before it is kept, besides its boot chain: be the version that was installed, keep virtual machines, be on
 * the network, and have its guest running. Each takes some seconds at most, and what cannot be found out has failed.
 */
export const hostosHealth: readonly HealthCheck[] = [
  { name: "version", inspect: version },
  { name: "libvirt", inspect: libvirt },
  { name: "bridge", inspect: bridge },
  { name: "gateway", inspect: gateway },
  { name: "guest", inspect: guest },
];

/** A root that is not the one that was installed would be confirmed in its place. */
async function version(host: Host, layout: Layout): Promise<Problem | undefined> {
  const record = await readSlotRecord(host, layout, await requireBootedSlot(host));
  // Of a system that other tools installed, no version is known.
  if (record?.kind !== "installed") return undefined;
  const found = (await host.readText(layout.versionFile))?.trim();
  if (found === record.version) return undefined;
  return {
    code: "other-version-booted",
    what: "the version that runs is not the one that was installed",
    where: { file: layout.versionFile },
    found: found ?? "no such file",
    expected: record.version,
  };
}

async function libvirt(host: Host, layout: Layout): Promise<undefined> {
  // Whatever it says of the guest, it answers.
  await virsh(host, guestPlaces(layout).libvirt).state(GUEST.name);
}

async function bridge(host: Host, layout: Layout): Promise<Problem | undefined> {
  const { bridge: name } = guestPlaces(layout);
  const link = await virtualInterface(host, name);
  if (link === undefined) return { code: "bridge-missing", what: `there is no bridge ${name}`, todo: "guestos-boot why bridge" };
  const wanted = (await readNetworkConf(host, layout)).ipv6_address?.replace(/\/\d+$/, "");
  const own = (await ipv6Addresses(host)).filter((address) => address.interfaceIndex === link.index && isUsable(address));
  if (own.some(({ address }) => wanted === undefined || address === canonicalIp(wanted))) return undefined;
  return {
    code: "bridge-without-address",
    what: `the bridge ${name} does not have its IPv6 address`,
    found: own.map(({ address }) => address).join(" ") || "none that can be used",
    expected: wanted ?? "one that a router has announced",
    todo: `networkctl status ${name}`,
  };
}

/** IPv6 alone: over it a node is reached. */
async function gateway(host: Host, layout: Layout): Promise<Problem | undefined> {
  const { bridge: name } = guestPlaces(layout);
  const gateways = await ipv6Gateways(host, name);
  const missed: string[] = [];
  for (const one of gateways) {
    const state = await missedAnswer(host, name, one);
    if (state === undefined) return undefined;
    missed.push(`${one}: ${state}`);
  }
  return {
    code: "gateway-silent",
    what: "no IPv6 gateway answers",
    found: missed.join(", ") || `no default route over ${name}`,
    todo: `ip -6 neighbour show dev ${name}`,
  };
}

/**
 * That its machine runs is enough. What happens in it depends on the network and on the guest's own system, which may be on trial too: a host
 * that went back for that would take a good version for a bad one. But one that ends again and again is not always seen while it is away: its
 * service counts.
 */
async function guest(host: Host, layout: Layout): Promise<Problem | undefined> {
  const places = guestPlaces(layout);
  const state = await virsh(host, places.libvirt).state(GUEST.name);
  const account = await readGuestState(host, places);
  if (state === "running" && !hasJustFailed(host, account)) return undefined;
  // A host on which no guest was installed yet has to be able to upgrade itself too.
  if (state === "absent" && (await contentOf(host, places.disk, { mustBeZero: true })).kind === "blank") return undefined;
  return {
    code: "guest-not-running",
    what: state === "running" ? "the guest's virtual machine failed less than a minute ago" : "the guest's virtual machine does not run",
    found: [
      state,
      ...(account === undefined || account.failures === 0 ? [] : [`${account.failures} failures in a row`]),
      ...(account?.problem === undefined ? [] : [account.problem.what]),
    ].join(": "),
    expected: `running for ${SETTLED} s`,
    todo: "guestos-boot guest",
  };
}

/** By the time of day, of which the account is written. Where the clock was set back since, nothing is known of that. */
function hasJustFailed(host: Host, account: GuestState | undefined): boolean {
  if (account === undefined || account.failures === 0) return false;
  const seconds = (host.now() - Date.parse(account.since)) / 1000;
  return seconds >= 0 && seconds < SETTLED;
}
