import type { Host } from "../host.ts";

/** Where systemd keeps what the virtual machine's manager gave it (systemd.system-credentials(7)); readable by root alone. */
const CREDENTIAL = "/run/credentials/@system/vmm.notify_socket";
/** `vsock:CID:PORT`, with or without a socket type (sd_notify(3)). CID and port are 32 bits; -1 stands for any CID. */
const VSOCK = /^vsock(?:-stream|-dgram|-seqpacket)?:(?:\d{1,10}|-1):\d{1,10}$/;
/** The host answers at once or not at all. */
const TIMEOUT = 5_000;

/** The vsock address at which the host wants to hear how the boot goes; `undefined` when it gave none. */
export async function hostNotifySocket(host: Host): Promise<string | undefined> {
  const address = (await host.readText(CREDENTIAL))?.trim();
  return address !== undefined && VSOCK.test(address) ? address : undefined;
}

/**
 * Sends assignments (`STATUS=…`, `READY=1`, sd_notify(3)) to the host, as one message. By systemd-notify, because Node has no vsock.
 *
 * @throws CommandError when nobody listens there
 */
export async function notifyHost(host: Host, address: string, assignments: readonly string[]): Promise<void> {
  // --no-block: without it a pipe would be sent along to wait on, and descriptors do not travel over vsock.
  await host.run({ program: "systemd-notify", args: ["--no-block", ...assignments], env: { NOTIFY_SOCKET: address }, timeout: TIMEOUT });
}
