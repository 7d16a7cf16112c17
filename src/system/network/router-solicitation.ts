import type { Host } from "../host.ts";
import { runJob } from "../systemd/systemd.ts";

/**
 * Asks the routers on an interface to advertise themselves, and changes nothing on it. Who listens there, such as
 * systemd-networkd, hears the answer: that is not waited for here.
 *
 * networkd cannot be asked for this (org.freedesktop.network1(5)): RenewLink is DHCPv4's, and ReconfigureLink takes away the
 * addresses and routes that others have added. A service does it, because a raw socket takes a privilege that we do not have.
 */
export async function solicitRouters(host: Host, interfaceName: string): Promise<void> {
  await runJob(host, "start", `guestos-solicit@${interfaceName}.service`, SEND_TIME);
}

/** Above the service's own limit, so that its more telling answer comes first. */
const SEND_TIME = 15_000;
