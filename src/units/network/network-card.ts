import { type Action, activate, provision } from "../../boot/unit.ts";
import { type CardIdentity, type NodeCard, readNodeCard, writeNodeCard } from "../../config/state/network-card.ts";
import { bootId } from "../../system/boot-id.ts";
import type { Host } from "../../system/host.ts";
import { isNameFinal, type NetworkInterface, networkInterfaces } from "../../system/network/network-interfaces.ts";
import { probeInterfaces } from "../../system/network/network-probe.ts";
import { deadlineIn, pause, systemClock } from "../../base/clock.ts";
import { type Problem, ProblemError } from "../../base/problem.ts";
import { type Machine, unit } from "../machine.ts";
import { mountBoot } from "../disks/mount-boot.ts";
import { noInterface } from "./link-problems.ts";
import { cardInPlaceOf, isNodeCard, knownAgain } from "./primary-interface.ts";
import { type Searched, whileUdevWorks } from "./while-udev-works.ts";

/**
 * Afterwards the node's network card is chosen and recorded. A card that is added later, and comes first by its name, does not take its
 * place.
 *
 * It requires the config partition alone. If there is only one card, it is chosen. Of several, the one that alone has a carrier is chosen,
 * or the one on which alone a router answers. Otherwise it is the first by name. A note gives the reason. If none has a carrier, the first
 * by name serves for this boot, and is not recorded. No choice is made while udev has events, because the driver of another card may be
 * among them. A recorded card that is gone is waited for, and then the choice is made again. A single card in another place serves for this
 * boot, and does not replace it in the record: the recorded one may only be late. There is no conflict. If it fails, the boot is degraded: a
 * choice that cannot be recorded is made at every boot.
 */
export const networkCard = unit({
  name: "network-card",
  title: "Remember which network card is the node's",
  requires: [mountBoot],
  owns: ["/boot/config/network-card.json", "/run/guestos-boot/network-card.json"],
  onFailure: "degrade",
  // udev is waited for while it has events. The kernel may tell it of a card a moment later. The unit `network` waits for this one.
  retryFor: 30_000,
  // Above the wait for udev, the retries, and the waits for a card, its carrier and a router.
  timeout: 360_000,
  async plan(machine) {
    const { host, layout } = machine;
    const remembered = await readNodeCard(host, layout.config.networkCard);
    const memory = isNodeCard(remembered) ? remembered.card : undefined;
    const decision = await readNodeCard(host, layout.runFiles.networkCard);
    const { cards, unclear, known, decided, isUdevBusy } = await settledCards(
      machine,
      memory,
      isNodeCard(decision) ? decision.card : undefined,
    );
    if (cards.length === 0) {
      const problem: Problem = { ...noInterface(), code: "no-network-card", what: "there is no network card to remember" };
      throw new ProblemError(problem, { retryable: !isUdevBusy });
    }
    if (memory !== undefined && known !== undefined && isAsRemembered(memory, known)) return [];
    if (known === undefined && isNodeCard(decision) && decided !== undefined && decision.because === "nothing") return [];
    if (unclear !== undefined) throw nameUnclear(unclear, isUdevBusy);

    const toRemember = (text: string, choice: () => Choice | undefined): Action =>
      provision(`remember the network card ${text}`, async () => {
        if (remembered === "unreadable") machine.note(`${layout.config.networkCard} could not be read, and counts as absent`);
        await remember(machine, choice(), memory);
      });
    const certain = certainChoice(cards, { known, decided, because: isNodeCard(decision) ? decision.because : undefined });
    if (certain !== undefined) return [toRemember(`${inWords(certain.card)} as the node's`, () => certain)];

    let found: Choice | undefined;
    const names = cards.map(({ name }) => name).join(", ");
    const target =
      memory === undefined
        ? `${cards.length === 1 ? `whether ${names}` : `which of ${names}`} is connected to the node's network`
        : `${inWords(memory)}, which is missing, or its replacement`;
    return [
      activate(`find ${target}`, async () => {
        found = await choose(host, memory);
        if (found === undefined) return;
        // The choice for this boot, also if it cannot be recorded permanently.
        await host.makeFolder(layout.run, { mode: 0o755 });
        await writeNodeCard(host, layout.runFiles.networkCard, await record(host, found, memory));
        if (found.because === "nothing") machine.note(reasonOf(found, memory));
      }),
      toRemember("that was found", () => found),
    ];
  },
});

interface Choice {
  readonly card: NetworkInterface;
  readonly because: NodeCard["because"];
  /** The cards among which the choice was made. */
  readonly of: readonly NetworkInterface[];
}

interface Known {
  /** The recorded card, with another address or in another place. */
  readonly known: NetworkInterface | undefined;
  /** The card that this boot has chosen before. */
  readonly decided: NetworkInterface | undefined;
  readonly because: NodeCard["because"] | undefined;
}

/** The choice that can be recorded without a probe. */
function certainChoice(cards: readonly NetworkInterface[], { known, decided, because }: Known): Choice | undefined {
  if (known !== undefined) return { card: known, because: "moved", of: cards };
  return decided !== undefined && because !== undefined ? { card: decided, because, of: cards } : undefined;
}

/** A card without its maker's address, because another was set for now, still counts as the recorded card in that place. */
function isAsRemembered(memory: CardIdentity, { path, mac }: NetworkInterface): boolean {
  return memory.path === path && (mac === undefined || memory.mac === mac);
}

interface Cards extends Pick<Known, "known" | "decided">, Pick<Searched<unknown>, "isUdevBusy"> {
  readonly cards: readonly NetworkInterface[];
  /** One of them whose name is not final. */
  readonly unclear: NetworkInterface | undefined;
}

/** The cards, once the remembered one is there as it was, or one that is known has its final name, or udev has no events left. */
async function settledCards(machine: Machine, memory: CardIdentity | undefined, decision: CardIdentity | undefined): Promise<Cards> {
  const { host } = machine;
  let seen: Omit<Cards, "isUdevBusy"> = { cards: [], unclear: undefined, known: undefined, decided: undefined };
  const { isUdevBusy } = await whileUdevWorks(machine, "the network card", async () => {
    const cards = await networkInterfaces(host);
    const known = memory === undefined ? undefined : knownAgain(memory, cards);
    const decided = decision === undefined ? undefined : knownAgain(decision, cards);
    seen = { cards, unclear: await unclearCard(host, cards), known, decided };
    if (memory !== undefined && known !== undefined && isAsRemembered(memory, known)) return known;
    return seen.unclear === undefined ? (known ?? decided) : undefined;
  });
  return { ...seen, isUdevBusy };
}

async function unclearCard(host: Host, cards: readonly NetworkInterface[]): Promise<NetworkInterface | undefined> {
  for (const card of cards) if (!(await isNameFinal(host, card))) return card;
  return undefined;
}

function nameUnclear({ name }: NetworkInterface, isUdevBusy: boolean): ProblemError {
  return new ProblemError(
    {
      code: "network-card-unclear",
      what: "it is not known yet which network card is the node's",
      found: `${name}, to which udev may still give another name`,
      todo: "udevadm info /sys/class/net/*; then: guestos-boot --unit network-card --unit network",
    },
    { retryable: !isUdevBusy },
  );
}

/** Milliseconds to wait for a card that is not there: its driver may be loaded late. */
const MISSED_TIME = 10_000;
const CHECK_AGAIN = 250;

/** @returns `undefined` if the recorded card has appeared, or all cards are gone */
async function choose(host: Host, memory: CardIdentity | undefined): Promise<Choice | undefined> {
  let cards = await networkInterfaces(host);
  if (memory !== undefined) {
    for (const left = deadlineIn(MISSED_TIME); ; cards = await networkInterfaces(host)) {
      if (knownAgain(memory, cards) !== undefined) return undefined;
      // Another card is in its place: the recorded one was exchanged, and will not appear.
      if (cardInPlaceOf(memory, cards) !== undefined) break;
      if (left() === 0 || !(await pause(systemClock, CHECK_AGAIN, host.signal))) break;
    }
  }
  const [first] = cards;
  if (first === undefined) return undefined;
  const isAlone = cards.length === 1;
  // The remembered one may only be late: its driver, or its cable.
  if (isAlone && memory !== undefined && first.path !== memory.path) return { card: first, because: "nothing", of: cards };
  const { withCarrier, withRouter } = await probeInterfaces(host, cards);
  if (isAlone) return { card: first, because: withCarrier.length === 0 ? "nothing" : "only", of: cards };
  const because = withCarrier.length === 1 ? "carrier" : withRouter.length === 1 ? "router" : withCarrier.length > 0 ? "name" : "nothing";
  return { card: withRouter[0] ?? withCarrier[0] ?? first, because, of: cards };
}

async function remember(machine: Machine, choice: Choice | undefined, memory: CardIdentity | undefined): Promise<void> {
  const { host, layout } = machine;
  if (choice === undefined || choice.because === "nothing") return;
  await writeNodeCard(host, layout.config.networkCard, await record(host, choice, memory));
  if (choice.because !== "only" || memory !== undefined) machine.note(reasonOf(choice, memory));
}

async function record(host: Host, { card, because }: Choice, memory: CardIdentity | undefined): Promise<NodeCard> {
  const { index: _, ...identity } = card;
  return {
    ...{ version: 1, card: identity, because },
    ...(memory === undefined || because === "moved" ? {} : { insteadOf: memory }),
    bootId: await bootId(host),
  };
}

const REASONS: Readonly<Record<Exclude<NodeCard["because"], "nothing">, string>> = {
  only: "it is the only one",
  carrier: "only it has a carrier",
  router: "only it has an IPv6 router",
  name: "it is the first by name of several with a carrier, and neither one alone has an IPv6 router",
  moved: "it is the one that was remembered, in another place or with another address",
};

/** Why a choice is not recorded. */
function uncertainty(of: readonly NetworkInterface[], memory: CardIdentity | undefined): string {
  if (of.length > 1) return "none has a carrier, and it is the first by name; the next boot checks again";
  return memory === undefined || of[0]?.path === memory.path
    ? "it is the only one, and has no carrier; the next boot checks again"
    : "it is the only one; the next boot looks for the former one again";
}

/** The reason for the choice, for the operator. */
function reasonOf({ card, because, of }: Choice, memory: CardIdentity | undefined): string {
  const among = of.length === 1 ? "" : ` (of ${of.map(({ name }) => name).join(", ")})`;
  const before = memory === undefined || because === "moved" ? "" : `; ${inWords(memory)}, the former one, is missing`;
  return `the node's network card is ${inWords(card)}${among}: ${because === "nothing" ? uncertainty(of, memory) : REASONS[because]}${before}`;
}

/** "enp0s2 (52:54:00:12:34:56 at pci0000:00/0000:00:02.0)" */
function inWords({ name, mac, path }: CardIdentity): string {
  return `${name} (${mac === undefined ? "" : `${mac} `}at ${path})`;
}
