import type { Host } from "../host.ts";
import { runJob } from "../systemd/systemd.ts";

/**
 * Asks the routers on an interface to advertise themselves, and changes nothing on it. Programs that listen there, such as
 * systemd-networkd, receive the answer; this function does not wait for it.
 *
 * networkd offers no call for this (org.freedesktop.network1(5)): RenewLink is for DHCPv4, and ReconfigureLink removes the addresses and
 * routes of other programs. A service sends it, because a raw socket needs a privilege that this program does not have.
 */
export async function solicitRouters(host: Host, interfaceName: string): Promise<void> {
  await runJob(host, "start", `guestos-solicit@${interfaceName}.service`, SEND_TIME);
}

/** Above the service's own limit, so that its more precise answer comes first. */
const SEND_TIME = 15_000;
