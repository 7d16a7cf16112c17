import type { Host } from "../../system/host.ts";
import { type Infer, z } from "../../base/small-schema.ts";

/** How a network card is known again, wherever the kernel's names have gone meanwhile. */
const CardIdentity = z.object({
  /** The address that its maker gave it. Not there where the kernel or somebody made one up. */
  mac: z.optional(z.string()),
  /** Its place in the machine: below /sys/devices, without what is counted anew at every boot. */
  path: z.string(),
  /** What it was called then: for people. */
  name: z.string(),
});
export type CardIdentity = Infer<typeof CardIdentity>;

/** network-card.json: which network card is the node's, and why this one. */
const NodeCard = z.object({
  version: z.literal(1),
  card: CardIdentity,
  /**
   * The only one there was; the only one with a carrier, or on which a router answered; of several the first by name; or the one that was
   * remembered has moved. `nothing` had a carrier: that is never remembered.
   */
  because: z.union([
    z.literal("only"),
    z.literal("carrier"),
    z.literal("router"),
    z.literal("name"),
    z.literal("moved"),
    z.literal("nothing"),
  ]),
  /** The one before it, which is no longer there. */
  insteadOf: z.optional(CardIdentity),
  /** The boot in which that was decided. */
  bootId: z.string(),
});
export type NodeCard = Infer<typeof NodeCard>;

/** @returns `undefined` when there is none; `"unreadable"` for what we did not write like this: then it says nothing */
export async function readNodeCard(host: Host, file: string): Promise<NodeCard | "unreadable" | undefined> {
  const text = await host.readText(file);
  if (text === undefined) return undefined;
  try {
    const { data } = NodeCard.safeParse(JSON.parse(text));
    return data !== undefined && isSound(data.card) ? data : "unreadable";
  } catch {
    return "unreadable";
  }
}

/** It is compared with what the kernel says, and shown to people. */
function isSound({ mac, path, name }: CardIdentity): boolean {
  return (mac === undefined || MAC.test(mac)) && /^[\x21-\x7e]{1,512}$/.test(path) && /^[\x21-\x7e]{1,15}$/.test(name);
}

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** Durable when it returns. The folder must exist. */
export async function writeNodeCard(host: Host, file: string, card: NodeCard): Promise<void> {
  await host.writeFile(file, `${JSON.stringify(card, undefined, 2)}\n`, { mode: 0o644 });
}
