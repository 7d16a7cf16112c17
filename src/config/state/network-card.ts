import type { Host } from "../../system/host.ts";
import * as z from "../../base/schema.ts";
import { jsonIn } from "../../base/json.ts";
import { writeState } from "./state-file.ts";

/** The identity of a network card. It identifies the card even if the kernel's names have changed. */
const CardIdentity = z.object({
  /** The address assigned by its maker. Absent where the kernel or an administrator assigned another one. */
  mac: z.optional(z.string()),
  /** Its place in the machine: below /sys/devices, without numbers that are assigned at every boot. */
  path: z.string(),
  /** Its name at that time: for people. */
  name: z.string(),
});
export type CardIdentity = z.infer<typeof CardIdentity>;

/** network-card.json: which network card is the node's, and why this one. */
const NodeCard = z.object({
  version: z.literal(1),
  card: CardIdentity,
  /**
   * `only`: it was the only one. `carrier`, `router`: the only one with a carrier, or on which a router answered. `name`: of several the
   * first by name. `moved`: the remembered one has moved. `nothing`: none had a carrier; that is never remembered.
   */
  because: z.enum(["only", "carrier", "router", "name", "moved", "nothing"]),
  /** The card before it, which is no longer present. */
  insteadOf: z.optional(CardIdentity),
  /** The boot in which that was decided. */
  bootId: z.string(),
});
export type NodeCard = z.infer<typeof NodeCard>;

/** @returns `undefined` when there is none; `"unreadable"` for a file that this program did not write: it tells nothing */
export async function readNodeCard(host: Host, file: string): Promise<NodeCard | "unreadable" | undefined> {
  const text = await host.readText(file);
  if (text === undefined) return undefined;
  const { data } = NodeCard.safeParse(jsonIn(text));
  return data !== undefined && isSound(data.card) ? data : "unreadable";
}

/** The values are compared with the kernel's, and shown to people. */
function isSound({ mac, path, name }: CardIdentity): boolean {
  return (mac === undefined || MAC.test(mac)) && /^[\x21-\x7e]{1,512}$/.test(path) && /^[\x21-\x7e]{1,15}$/.test(name);
}

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** Durable when it returns. The folder must exist. */
export async function writeNodeCard(host: Host, file: string, card: NodeCard): Promise<void> {
  await writeState(host, file, card);
}
