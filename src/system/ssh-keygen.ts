import type { Host } from "./host.ts";

export type HostKeyType = "ed25519" | "ecdsa" | "rsa";

/**
 * Makes a host key without a passphrase at `file`, and its public half beside it, with ssh-keygen(1).
 *
 * `file` must not exist, because ssh-keygen would ask. Choose a private folder on a tmpfs. A power cut while the tool writes would leave a
 * 0-byte key, and sshd does not start with that. Takes 0.2 s in a slow VM, RSA 8 s.
 *
 * @throws CommandError
 */
export async function generateHostKey(host: Host, type: HostKeyType, file: string): Promise<void> {
  await host.run({
    program: "ssh-keygen",
    // The comment is fixed: by default it holds user and host name, and on a first boot no host name is set yet.
    args: ["-q", "-t", type, "-N", "", "-C", "guestos", "-f", file],
    todo: "check that ssh-keygen is installed and that /run has free space: df -h /run",
  });
}

/**
 * The public half of a private key without a passphrase, as read by OpenSSH's own loader, which sshd uses too (authfile.c,
 * sshkey_load_private). `undefined` when it refuses: a damaged key, or a file that others than its owner may read.
 *
 * @returns type and base64, with the comment of the key, if it has one
 * @throws CommandError when ssh-keygen could not be run
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

/** The exit status of OpenSSH's tools after a fatal error (log.c and fatal.c). */
const REFUSED = 255;
