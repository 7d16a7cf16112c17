import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ImageOptions } from "./options.ts";
import { cached, fingerprint, run } from "./tools.ts";

/** Documentation and translations: nobody reads them on a node. Licences stay. */
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
  const packages = await listed(join(options.tree, "vm/packages.txt"));
  const args = [
    "--variant=minbase",
    "--mode=root",
    "--format=tar",
    `--include=${packages.join(",")}`,
    ...EXCLUDED.map((pattern) => `--dpkgopt=path-exclude=/usr/share/${pattern}`),
    ...INCLUDED.map((pattern) => `--dpkgopt=path-include=/usr/share/${pattern}`),
  ];
  const key = await fingerprint([options.suite, options.mirror, String(options.epoch), ...args], []);
  const tar = join(options.out, "cache", `debian-${key}.tar`);
  await cached(tar, `Debian ${options.suite} from ${options.mirror}`, async (temporary) => {
    await run("mmdebstrap", [...args, options.suite, temporary, options.mirror], {
      // INITRD=No (initramfs-tools' kernel hook): the initramfs is made by the next stage, with our hook.
      env: { SOURCE_DATE_EPOCH: String(options.epoch), INITRD: "No", ...proxyVariables(process.env) },
    });
  });
  return { tar, key };
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
