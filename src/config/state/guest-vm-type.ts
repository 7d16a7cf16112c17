import type { Host } from "../../system/host.ts";
import type { GuestosConfig } from "../guestos-settings.ts";
import type { Layout } from "../layout/layout.ts";

export type GuestVmType = GuestosConfig["guest_vm_type"];

const TYPES: readonly string[] = ["default", "upgrade", "unknown"] satisfies readonly GuestVmType[];

/**
 * The type of this VM in this boot, as the unit config-injection has noted it.
 *
 * @returns `undefined` while it is not known, and on a system whose hosts tell none
 */
export async function guestVmType(host: Host, layout: Layout): Promise<GuestVmType | undefined> {
  return ((await host.list(layout.guestVmType)) ?? []).find(isType);
}

function isType(name: string): name is GuestVmType {
  return TYPES.includes(name);
}
