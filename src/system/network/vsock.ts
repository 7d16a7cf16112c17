import type { Host } from "../host.ts";

export interface VsockRequest {
  /** Of the host of this machine: 2 (vsock(7), VMADDR_CID_HOST). */
  readonly cid: number;
  readonly port: number;
  readonly message: string;
  /** Seconds for the reply. */
  readonly patience: number;
  /** Bytes of the reply that are accepted. */
  readonly most: number;
}

/** Milliseconds for socat itself to end. */
const GRACE = 10_000;

/**
 * Sends a message to a vsock and returns all that comes back until the other side closes. Node has no such sockets; socat(1) does.
 *
 * @throws CommandError when no one listens there, or the reply takes too long or is too long
 */
export async function askOverVsock(host: Host, { cid, port, message, patience, most }: VsockRequest): Promise<string> {
  const { stdout } = await host.run({
    program: "socat",
    // -t: how long it goes on after the end of the message; half a second without.
    args: ["-t", String(patience), "-", `VSOCK-CONNECT:${cid}:${port}`],
    input: message,
    timeout: patience * 1000 + GRACE,
    maxOutput: most,
    todo: "check that this machine has a vsock (/dev/vsock), and its host serves that port",
  });
  return stdout;
}
