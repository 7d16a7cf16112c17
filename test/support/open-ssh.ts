import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, freeAddress } from "./metrics-tools.ts";

/** Debian's sshd, as tools/setup.sh has unpacked it. */
const SSHD = join(import.meta.dirname, "../../build/tools/openssh-server/sshd");

/** sshd needs an account and a folder of its own: in a mount namespace, so that the machine need not have them. */
const INSIDE = 'mount --bind "$1/passwd" /etc/passwd && mount -t tmpfs tmpfs /run && mkdir /run/sshd && shift && exec "$@"';

function inside(folder: string, args: readonly string[]): readonly string[] {
  writeFileSync(join(folder, "passwd"), "root:*:0:0::/root:/bin/sh\nsshd:*:65533:65534::/run/sshd:/usr/sbin/nologin\n");
  return ["--mount", "--propagation", "private", "--", "sh", "-c", INSIDE, "sh", folder, SSHD, ...args];
}

/** Whether sshd would start with a file as its only host key (sshd(8), -t). @param folder for files of the test */
export function sshdReadsHostKey(folder: string, file: string): boolean {
  const { status, stderr } = spawnSync("unshare", inside(folder, ["-t", "-f", "/dev/null", "-h", file]), { encoding: "utf8" });
  if (status === 0) return true;
  if (stderr.includes("no hostkeys available")) return false;
  throw new Error(`sshd -t ended with ${status}: ${stderr}`);
}

/** The public key of a file as OpenSSH's own loader reads it, type and base64; `undefined` when it does not. */
export function loadedByKeygen(file: string): string | undefined {
  const { status, stdout } = spawnSync("ssh-keygen", ["-y", "-P", "", "-f", file], { encoding: "utf8" });
  return status === 0 ? stdout.trim().split(" ").slice(0, 2).join(" ") : undefined;
}

export interface Server {
  /** Whether who has the key gets in with that as root's authorized_keys. */
  readonly letsIn: (authorizedKeys: string) => boolean;
  readonly stop: () => Promise<void>;
}

/** An sshd on the loopback, for root with `key`. Both keys must be good files. */
export async function sshServer(folder: string, { hostKey, key }: { readonly hostKey: string; readonly key: string }): Promise<Server> {
  const address = await freeAddress();
  const authorizedKeys = join(folder, "authorized_keys");
  const settings = [
    ...[`ListenAddress ${address}`, `HostKey ${hostKey}`, `AuthorizedKeysFile ${authorizedKeys}`, "PidFile none"],
    ...["StrictModes no", "UsePAM no", "PermitRootLogin prohibit-password", "ForceCommand /bin/true", "UseDNS no"],
  ];
  const config = join(folder, "sshd_config");
  // Not a pipe, which no one would read while a test waits for ssh.
  const log = join(folder, "sshd.log");
  writeFileSync(config, `${settings.join("\n")}\n`);
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "unshare", ...inside(folder, ["-D", "-e", "-f", config])], {
    stdio: ["ignore", "ignore", openSync(log, "w")],
  });
  await eventually(
    async () => readFileSync(log, "utf8"),
    (text) => text.includes("Server listening on") || child.exitCode !== null,
  );
  if (child.exitCode !== null) throw new Error(`sshd ended: ${readFileSync(log, "utf8")}`);
  const known = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "BatchMode=yes", "IdentitiesOnly=yes", "LogLevel=ERROR"];
  const args = [
    "-F",
    "none",
    "-p",
    address.slice(address.indexOf(":") + 1),
    "-i",
    key,
    ...known.flatMap((option) => ["-o", option]),
    "root@127.0.0.1",
    "true",
  ];
  return {
    letsIn(text) {
      writeFileSync(authorizedKeys, text);
      const { status, stderr } = spawnSync("ssh", args, { encoding: "utf8", timeout: 20_000 });
      if (status === 0) return true;
      if (stderr.includes("Permission denied (publickey")) return false;
      throw new Error(`ssh ended with ${status}: ${stderr}`);
    },
    async stop() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}
