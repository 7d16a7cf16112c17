import { existsSync } from "node:fs";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ProfileName } from "../src/profiles/profiles.ts";
import { ProblemError } from "../src/base/problem.ts";
import { makeDisk } from "./disk.ts";
import { profileFrom } from "../image/options.ts";
import { imageOf, repository, stateFolder } from "../image/paths.ts";
import { tool } from "./tool.ts";

/** PROFILE chooses among the images, and each has a machine of its own. */
export const defaultProfile = profileFrom(process.env);

/** The machine of `make boot`. */
export const defaultMachine = defaultProfile === "guestos" ? "default" : defaultProfile;

const folder = stateFolder(defaultMachine);

export const defaultFiles = {
  disk: join(folder, "disk.qcow2"),
  /** Which image the disk was made from. */
  origin: join(folder, "disk.origin"),
  adminKey: join(folder, "admin_ed25519"),
  knownHosts: join(folder, "known_hosts"),
  configFolder: join(folder, "config"),
  medium: join(folder, "config.img"),
  /** Of a boundary node, made once, as the admin's key is. */
  certificate: join(folder, "fullchain.pem"),
  certificateKey: join(folder, "privkey.pem"),
};

/** Bytes: of the disk, and of the room for the store partition behind the image's nine, which of LAYOUT=prod take 42 GiB. */
const GIB = 1024 ** 3;
const DISK_SIZE = 16 * GIB;
const STORE_SIZE = 8 * GIB;

/**
 * What the host tells the node. QEMU's user network forwards ports to the IPv4 address that its DHCP server would
 * give, so the node takes that one; IPv6 comes by router advertisements.
 */
const common: Readonly<Record<string, string>> = {
  "network.conf": "hostname=guestos-lab\ndomain=example.org\nipv4_address=10.0.2.15/24\nipv4_gateway=10.0.2.2\nname_servers=10.0.2.3\n",
  "nns.conf": "nns_url=http://[2001:db8:6772::2]:8080\n",
};

/** What a boundary node of the lab answers for. */
export const labDomain = "boundary.example.org";

const configs: Readonly<Record<ProfileName, (() => Promise<Readonly<Record<string, string>>>) | undefined>> = {
  guestos: async () => ({ ...common, "backup.conf": "backup_retention_time_secs=86400\nbackup_purging_interval_secs=3600\n" }),
  boundary: async () => ({
    ...common,
    // The host and what it forwards.
    "bn_vars.conf": `system_domains=${labDomain}\nipv4_replica_ips=10.0.2.0/24\n`,
    ...(await labCertificate()),
  }),
  // It has no medium: its configuration is in the image (lab/hostos-config.json).
  hostos: undefined,
  // Its configuration is on the stick (lab/setupos).
  setupos: undefined,
};

async function labCertificate(): Promise<Readonly<Record<string, string>>> {
  const { certificate, certificateKey } = defaultFiles;
  if (!existsSync(certificate)) {
    const names = ["-subj", `/CN=${labDomain}`, "-addext", `subjectAltName=DNS:${labDomain},DNS:*.${labDomain}`];
    const kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "365"];
    await tool("openssl", [...kind, ...names, "-keyout", certificateKey, "-out", certificate]);
  }
  return { "certs/fullchain.pem": await readFile(certificate, "utf8"), "certs/privkey.pem": await readFile(certificateKey, "utf8") };
}

/** The admin's key pair, made once. */
export async function ensureAdminKey(): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (existsSync(defaultFiles.adminKey)) return;
  await tool("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "admin of the lab", "-f", defaultFiles.adminKey]);
}

/**
 * The configuration medium, made again by the product, so that it is always what this version makes.
 *
 * @returns the media of the machine: none where the system reads none
 */
export async function makeDefaultMedium(): Promise<readonly { readonly id: string; readonly image: string }[]> {
  const config = configs[defaultProfile];
  if (config === undefined) return [];
  await rm(defaultFiles.configFolder, { recursive: true, force: true });
  const files = {
    ...(await config()),
    "accounts_ssh_authorized_keys/admin": await readFile(`${defaultFiles.adminKey}.pub`, "utf8"),
  };
  for (const [name, content] of Object.entries(files)) {
    const path = join(defaultFiles.configFolder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  await makeConfigMedium(defaultFiles.configFolder, defaultFiles.medium, defaultProfile);
  return [{ id: "config", image: defaultFiles.medium }];
}

/** The host's part of the product: a folder becomes the medium that a node expects. */
export async function makeConfigMedium(from: string, out: string, profile: ProfileName = "guestos"): Promise<void> {
  await rm(out, { force: true });
  await tool(process.execPath, [join(repository, "src/cli/main.ts"), "config-image", "--profile", profile, "--out", out, from]);
}

/**
 * The disk: made from the image at first, kept afterwards.
 *
 * A copy, because a disk that refers to the image is destroyed by the next `make image`.
 *
 * @returns a line for the operator
 */
export async function ensureDefaultDisk(fresh: boolean): Promise<string> {
  const image = imageOf(defaultProfile);
  if (!existsSync(image.disk)) {
    throw new ProblemError({
      code: "lab-image-missing",
      what: "there is no image to boot",
      where: { file: image.disk },
      todo: "make image",
    });
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
  const bytes = Math.max(DISK_SIZE, size + STORE_SIZE);
  await makeDisk({ backing: image.disk, path: `${defaultFiles.disk}.new`, size: String(bytes), copy: true });
  await tool("mv", [`${defaultFiles.disk}.new`, defaultFiles.disk]);
  await writeFile(defaultFiles.origin, origin);
  return `disk: ${defaultFiles.disk} (new, ${Math.round(bytes / GIB)} GiB)`;
}
