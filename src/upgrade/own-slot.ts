import * as z from "../base/schema.ts";
import type { Layout } from "../config/layout/layout.ts";
import { concluded } from "../system/concluded.ts";
import type { Host } from "../system/host.ts";
import { requireBootedSlot } from "./booted-slot.ts";
import { readBootState } from "./boot-state.ts";

/**
 * Whether the running system is the one that grubenv names: the boot loader, or a host in its place, has started it as the node. An upgrade
 * VM is always started from the other slot, and grubenv is left as it is (dfinity/ic, guest_vm_runner).
 *
 * @throws ProblemError when the running slot is unknown
 */
export async function isOwnSlot(host: Host, layout: Layout): Promise<boolean> {
  return concluded(host, { name: "own slot", args: [], shape: z.boolean() }, async (asked) => {
    const [running, block] = await Promise.all([requireBootedSlot(asked), asked.readBytes(layout.grubenv)]);
    return readBootState(block).state.alternative === running;
  });
}
