import type { Host } from "./host.ts";

export type HostKeyType = "ed25519" | "ecdsa" | "rsa";

/**
 * Makes a host key without a passphrase at `file`, and its public half beside it, with ssh-keygen(1).
 *
 * `file` must not exist (ssh-keygen would ask), and its folder is best a private one on a tmpfs: a power cut while the
 * tool writes would leave a 0-byte key behind, and sshd does not start with that. Takes 0.2 s in a slow VM, RSA 8 s.
 *
 * @throws CommandError
 */
export async function generateHostKey(host: Host, type: HostKeyType, file: string): Promise<void> {
  await host.run({
    program: "ssh-keygen",
    // The comment is fixed: by default it holds user and host name, and on a first boot there is no host name yet.
    args: ["-q", "-t", type, "-N", "", "-C", "guestos", "-f", file],
    todo: "check that ssh-keygen is installed and that /run has free space: df -h /run",
  });
}
