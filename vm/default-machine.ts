import { existsSync } from "node:fs";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ProblemError } from "../src/system/problem.ts";
import { makeDisk } from "./disk.ts";
import { image, repository, stateFolder } from "./paths.ts";
import { tool } from "./tool.ts";

/** The machine of `make boot`. */
export const defaultMachine = "default";

const folder = stateFolder(defaultMachine);

export const defaultFiles = {
  disk: join(folder, "disk.qcow2"),
  /** Which image the disk was made from. */
  origin: join(folder, "disk.origin"),
  adminKey: join(folder, "admin_ed25519"),
  knownHosts: join(folder, "known_hosts"),
  configFolder: join(folder, "config"),
  medium: join(folder, "config.img"),
};

/** Room for the store partition behind the image's nine. */
const DISK_SIZE = "16G";

/**
 * What the host tells the node. QEMU's user network forwards ports to the IPv4 address that its DHCP server would
 * give, so the node takes that one; IPv6 comes by router advertisements.
 */
const config: Readonly<Record<string, string>> = {
  "network.conf": "hostname=guestos-lab\ndomain=example.org\nipv4_address=10.0.2.15/24\nipv4_gateway=10.0.2.2\nname_servers=10.0.2.3\n",
  "nns.conf": "nns_url=http://[2001:db8:6772::2]:8080\n",
  "backup.conf": "backup_retention_time_secs=86400\nbackup_purging_interval_secs=3600\n",
};

/** The admin's key pair, made once. */
export async function ensureAdminKey(): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (existsSync(defaultFiles.adminKey)) return;
  await tool("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "admin of the lab", "-f", defaultFiles.adminKey]);
}

/** The configuration medium, made anew by the product, so that it is always what this version makes. */
export async function makeDefaultMedium(): Promise<void> {
  const keys = join(defaultFiles.configFolder, "accounts_ssh_authorized_keys");
  await rm(defaultFiles.configFolder, { recursive: true, force: true });
  await mkdir(keys, { recursive: true });
  for (const [name, content] of Object.entries(config)) await writeFile(join(defaultFiles.configFolder, name), content);
  await writeFile(join(keys, "admin"), await readFile(`${defaultFiles.adminKey}.pub`));
  await makeConfigMedium(defaultFiles.configFolder, defaultFiles.medium);
}

/** The host's part of the product: a folder becomes the medium that a node looks for. */
export async function makeConfigMedium(from: string, out: string): Promise<void> {
  await rm(out, { force: true });
  await tool(process.execPath, [join(repository, "src/cli/main.ts"), "config-image", "--out", out, from]);
}

/**
 * The disk: made from the image at first, kept afterwards.
 *
 * A copy, because a disk that refers to the image is destroyed by the next `make image`.
 *
 * @returns a line for the operator
 */
export async function ensureDefaultDisk(fresh: boolean): Promise<string> {
  if (!existsSync(image.disk)) {
    throw new ProblemError({ what: "there is no image to boot", where: { file: image.disk }, todo: "make image" });
  }
  const { mtimeMs, size } = await stat(image.disk);
  const origin = `${mtimeMs} ${size}\n`;
  if (!fresh && existsSync(defaultFiles.disk)) {
    const current = (await readFile(defaultFiles.origin, "utf8").catch(() => "")) === origin;
    return `disk: ${defaultFiles.disk}${current ? "" : " (made from an older image; FRESH=1 takes the new one)"}`;
  }
  await rm(defaultFiles.disk, { force: true });
  // The new disk's host keys are others.
  await rm(defaultFiles.knownHosts, { force: true });
  await makeDisk({ backing: image.disk, path: `${defaultFiles.disk}.new`, size: DISK_SIZE, copy: true });
  await tool("mv", [`${defaultFiles.disk}.new`, defaultFiles.disk]);
  await writeFile(defaultFiles.origin, origin);
  return `disk: ${defaultFiles.disk} (new, ${DISK_SIZE})`;
}
