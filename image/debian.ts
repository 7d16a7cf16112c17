import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProfileName } from "../src/profiles/profiles.ts";
import type { ImageOptions } from "./options.ts";
import { cached, fingerprint, run } from "./tools.ts";

/** Documentation and translations: no one reads them on a node. Licences stay. */
const EXCLUDED = ["doc/*", "man/*", "info/*", "locale/*", "lintian/*", "bash-completion/*"];
const INCLUDED = ["doc/*/copyright"];

/** The environment variables by which apt finds its way through a proxy. */
const PROXY_VARIABLES = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

/** A cached tree: one tar with owners and modes. */
export interface Stage {
  readonly tar: string;
  /** Stands for everything that the tree was made from. */
  readonly key: string;
}

/**
 * The Debian stage: the packages as the archive has them, and nothing of ours.
 *
 * `--mode=root`: every other mode needs user namespaces with sub-ids, which build machines and containers often lack.
 */
export async function debianStage(options: ImageOptions): Promise<Stage> {
  const base = await baseStage(options);
  return options.profile === "guestos" ? base : profileStage(options, base);
}

/** What the profile's image has beyond image/packages.txt, and what it has not, by its path in the tree. */
function packagesFile(profile: ProfileName): string {
  return `image/packages-${profile}.txt`;
}

const COMMON = [
  ...EXCLUDED.map((pattern) => `--dpkgopt=path-exclude=/usr/share/${pattern}`),
  ...INCLUDED.map((pattern) => `--dpkgopt=path-include=/usr/share/${pattern}`),
];

/** That of every profile. */
async function baseStage(options: ImageOptions): Promise<Stage> {
  const packages = await listed(join(options.tree, "image/packages.txt"));
  const args = ["--variant=minbase", "--mode=root", "--format=tar", `--include=${packages.join(",")}`, ...COMMON];
  const key = await fingerprint([options.suite, options.mirror, String(options.epoch), ...args], []);
  const tar = join(options.out, "cache", `debian-${key}.tar`);
  await cached(tar, `Debian ${options.suite} from ${options.mirror}`, (temporary) =>
    mmdebstrap(options, [...args, options.suite, temporary, options.mirror]),
  );
  return { tar, key };
}

/**
 * That of one profile, made from the base: nothing that both have is installed twice.
 *
 * What the suite does not have comes from the one before it, of the same archive: dante-server is not part of trixie.
 */
async function profileStage(options: ImageOptions, base: Stage): Promise<Stage> {
  const { suite, mirror, profile } = options;
  const names = await listed(join(options.tree, packagesFile(profile)));
  const added = names.filter((name) => !name.startsWith("-"));
  const removed = names.filter((name) => name.startsWith("-")).map((name) => name.slice(1));
  const older = suite === "trixie" ? [`deb ${mirror} bookworm main`] : [];
  // What mmdebstrap has written by then stays: its list of archives.
  const unpack = `tar --extract --preserve-permissions --numeric-owner --xattrs --xattrs-include='*' --exclude=./etc/apt/sources.list --directory "$1" --file`;
  const args = [
    ...["--variant=custom", "--mode=root", "--format=tar", "--skip=check/empty", ...COMMON, `--include=${added.join(",")}`],
    `--aptopt=APT::Default-Release "${suite}"`,
    ...(removed.length === 0 ? [] : [`--customize-hook=chroot "$1" dpkg --purge ${removed.join(" ")}`]),
  ];
  const key = await fingerprint([base.key, ...older, unpack, ...args], []);
  const tar = join(options.out, "cache", `debian.${profile}-${key}.tar`);
  await cached(tar, `Debian packages of the profile ${profile}`, (temporary) =>
    mmdebstrap(options, [...args, `--setup-hook=${unpack} '${base.tar}'`, suite, temporary, mirror, ...older]),
  );
  return { tar, key };
}

async function mmdebstrap({ epoch }: ImageOptions, args: readonly string[]): Promise<void> {
  // INITRD=No (initramfs-tools' kernel hook): the initramfs is made by the next stage, with our hook.
  await run("mmdebstrap", args, { env: { SOURCE_DATE_EPOCH: String(epoch), INITRD: "No", ...proxyVariables(process.env) } });
}

export function proxyVariables(environment: NodeJS.ProcessEnv): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of PROXY_VARIABLES) {
    const value = environment[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}

/** The lines of a list file, without comments and blank ones. */
export async function listed(path: string): Promise<readonly string[]> {
  const lines = (await readFile(path, "utf8")).split("\n").map((line) => line.replace(/#.*/, "").trim());
  return lines.filter((line) => line !== "");
}
