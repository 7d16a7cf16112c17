import { Notifier } from "../../base/notifier.ts";
import { followTool } from "../../system/processes/follow-tool.ts";
import { hasCarrier, ipv6Addresses, isUsable } from "../../system/network/network-interfaces.ts";
import { primaryInterface } from "./primary-interface.ts";
import type { WatchedMachine } from "../machine.ts";

/** Yields when the primary interface, its carrier or its usable IPv6 addresses have changed. */
export async function* watchAddresses(machine: WatchedMachine, signal: AbortSignal): AsyncIterable<void> {
  const notifier = new Notifier();
  void followTool("ip", ["monitor", "link", "address"], signal, notifier.notify);
  let before = await standing(machine);
  yield;
  while (await notifier.notified(signal)) {
    // Each router advertisement renews an address, which is an event too: only a difference calls for an inspection.
    const now = await standing(machine);
    if (now === before) continue;
    before = now;
    yield;
  }
}

async function standing({ host, layout }: WatchedMachine): Promise<string> {
  const link = await primaryInterface(host, layout);
  if (link === undefined) return "";
  const usable = (await ipv6Addresses(host)).filter((address) => address.interfaceIndex === link.index && isUsable(address));
  const carrier = await hasCarrier(host, link.name);
  return [link.name, link.index, carrier, ...usable.map(({ address }) => address).toSorted()].join(" ");
}
