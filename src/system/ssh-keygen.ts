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

/**
 * The public half of a private key without a passphrase, as OpenSSH's own loader reads the file, which is also sshd's
 * (authfile.c, sshkey_load_private); `undefined` when it does not: a damaged key, or a file that others than its owner may read.
 *
 * @returns type and base64, with whatever comment the key has
 * @throws CommandError when ssh-keygen could not be asked
 */
export async function loadedPublicKey(host: Host, file: string): Promise<string | undefined> {
  const { status, stdout } = await host.run({
    program: "ssh-keygen",
    args: ["-y", "-P", "", "-f", file],
    okStatuses: [0, REFUSED],
    todo: "check that ssh-keygen is installed",
  });
  return status === 0 ? stdout : undefined;
}

/** log.c and fatal.c of OpenSSH: how its tools end when they cannot go on. */
const REFUSED = 255;
