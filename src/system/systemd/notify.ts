import { closeSync, constants, openSync, writeSync } from "node:fs";
import type { Host } from "../host.ts";
import { passedDescriptor } from "./journal.ts";

/** The path of the credential from the virtual machine's manager (systemd.system-credentials(7)); readable by root alone. */
const CREDENTIAL = "/run/credentials/@system/vmm.notify_socket";
/** `vsock:CID:PORT`, with or without a socket type (sd_notify(3)). CID and port are 32 bits; -1 means any CID. */
const VSOCK = /^vsock(?:-stream|-dgram|-seqpacket)?:(?:\d{1,10}|-1):\d{1,10}$/;
/** The host answers at once or not at all. */
const TIMEOUT = 5_000;

/** The vsock address at which the host wants reports of the boot; `undefined` when it gave none. */
export async function hostNotifySocket(host: Host): Promise<string | undefined> {
  const address = (await host.readText(CREDENTIAL))?.trim();
  return address !== undefined && VSOCK.test(address) ? address : undefined;
}

/**
 * Sends assignments (`STATUS=…`, `READY=1`, sd_notify(3)) to the host, as one message. By systemd-notify, because Node has no vsock.
 *
 * @throws CommandError when no process listens there
 */
export async function notifyHost(host: Host, address: string, assignments: readonly string[]): Promise<void> {
  // Without --no-block, systemd-notify would send a pipe along to wait on, and vsock does not carry descriptors.
  await host.run({ program: "systemd-notify", args: ["--no-block", ...assignments], env: { NOTIFY_SOCKET: address }, timeout: TIMEOUT });
}

/** Whether systemd waits for a notification from this process (Type=notify, systemd.service(5)). */
export function isAwaited(): boolean {
  return process.env["NOTIFY_SOCKET"] !== undefined;
}

/**
 * Tells systemd that the service has started (sd_notify(3)). Uses its socket where the unit opens that (OpenFile=), because Node has no
 * datagram sockets. Uses systemd-notify where systemd is older than 253, which has no OpenFile=.
 *
 * @throws CommandError
 */
export async function sayReady(host: Host): Promise<void> {
  const socket = passedDescriptor("notify");
  // systemd itself reads the socket, so it is never full for long.
  if (socket !== undefined) writeSync(socket, READY);
  // It sends in the name of its parent process, the only one that systemd accepts (systemd-notify(1)).
  else
    await host.run({ program: "systemd-notify", args: ["--no-block", READY], env: { NOTIFY_SOCKET: process.env["NOTIFY_SOCKET"] ?? "" } });
}

const READY = "READY=1";

/**
 * Notifies the readers of that FIFO. systemd has it open (etc/common/systemd/system/guestos-boot-late.socket), and keeps the message for
 * later readers.
 */
export async function sayEnded(path: string): Promise<void> {
  const fifo = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    writeSync(fifo, "\n");
  } finally {
    closeSync(fifo);
  }
}
