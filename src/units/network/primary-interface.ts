import { type CardIdentity, type NodeCard, readNodeCard } from "../../config/state/network-card.ts";
import type { Layout } from "../../config/layout/layout.ts";
import type { Host } from "../../system/host.ts";
import { type NetworkInterface, networkInterfaces, virtualInterface } from "../../system/network/network-interfaces.ts";

/**
 * The interface over which the node is reached: a HostOS's bridge, any other system's network card. Every unit and watcher uses it, so that
 * they agree. `undefined` while there is none.
 */
export async function primaryInterface(host: Host, layout: Layout): Promise<NetworkInterface | undefined> {
  return layout.bridge === undefined ? primaryCard(host, layout) : virtualInterface(host, layout.bridge);
}

/** The node's network card: the recorded one, else the one that this boot has chosen, else the first by name. */
export async function primaryCard(host: Host, layout: Layout): Promise<NetworkInterface | undefined> {
  const cards = await networkInterfaces(host);
  if (cards.length <= 1) return cards[0];
  return (await cardIn(host, layout.config.networkCard, cards)) ?? (await cardIn(host, layout.runFiles.networkCard, cards)) ?? cards[0];
}

async function cardIn(host: Host, file: string, cards: readonly NetworkInterface[]): Promise<NetworkInterface | undefined> {
  const found = await readNodeCard(host, file);
  return isNodeCard(found) ? knownAgain(found.card, cards) : undefined;
}

export function isNodeCard(found: NodeCard | "unreadable" | undefined): found is NodeCard {
  return typeof found === "object";
}

/**
 * Finds the known card among the present ones: by its maker's address, wherever it is plugged in now. Its place counts only if one of the
 * two has no such address.
 */
export function knownAgain(known: CardIdentity, cards: readonly NetworkInterface[]): NetworkInterface | undefined {
  const same = known.mac === undefined ? [] : cards.filter(({ mac }) => mac === known.mac);
  if (same.length > 0) return same.find(({ path }) => path === known.path) ?? same[0];
  const inPlace = cardInPlaceOf(known, cards);
  return inPlace?.mac === undefined || known.mac === undefined ? inPlace : undefined;
}

/** The one card in that place; `undefined` if a device has several interfaces there, because the place does not identify one of them. */
export function cardInPlaceOf({ path }: CardIdentity, cards: readonly NetworkInterface[]): NetworkInterface | undefined {
  const there = cards.filter((card) => card.path === path);
  return there.length === 1 ? there[0] : undefined;
}
