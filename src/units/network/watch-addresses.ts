import { Bell } from "../../base/notifier.ts";
import { followTool } from "../../system/processes/follow-tool.ts";
import { hasCarrier, ipv6Addresses, isUsable, primaryInterface } from "../../system/network/network-interfaces.ts";
import type { WatchedMachine } from "../watched-machine.ts";

/** Yields when the primary interface, its carrier or its usable IPv6 addresses have become others. */
export async function* watchAddresses({ host }: WatchedMachine, signal: AbortSignal): AsyncIterable<void> {
  const bell = new Bell();
  followTool("ip", ["monitor", "link", "address"], signal, bell.ring);
  let before = await standing(host);
  yield;
  while (await bell.heard(signal)) {
    // Each advertisement of a router renews an address, which is an event too: only what differs is worth a look.
    const now = await standing(host);
    if (now === before) continue;
    before = now;
    yield;
  }
}

async function standing(host: WatchedMachine["host"]): Promise<string> {
  const link = await primaryInterface(host);
  if (link === undefined) return "";
  const usable = (await ipv6Addresses(host)).filter((address) => address.interfaceIndex === link.index && isUsable(address));
  const carrier = await hasCarrier(host, link.name);
  return [link.name, link.index, carrier, ...usable.map(({ address }) => address).toSorted()].join(" ");
}
