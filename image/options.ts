import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DEFAULT_PROFILE, type ProfileName, profileNames } from "../src/profiles/profiles.ts";
import { ProblemError } from "../src/base/problem.ts";

export type LayoutName = "lab" | "prod";
export type Variant = "dev" | "prod";

/** What an image is made of and for; everything that may change its contents comes from here or from the tree. */
export interface ImageOptions {
  readonly tree: string;
  readonly out: string;
  /** The system that the image is for (docs/profiles.md). */
  readonly profile: ProfileName;
  readonly suite: string;
  readonly mirror: string;
  readonly layout: LayoutName;
  readonly variant: Variant;
  readonly version: string;
  /** Seconds since 1970 that every time stamp in the image shows (reproducible-builds.org, SOURCE_DATE_EPOCH). */
  readonly epoch: number;
  /** config.json of a HostOS that is put into the image, as the installer writes it on a machine. */
  readonly hostosConfig: string | undefined;
  /** Of an installer: a folder with `config` and `data`, which go to the stick's partitions of these names. */
  readonly stickFolder: string | undefined;
}

/** A constant: with the last commit's time, every commit would make the Debian stages again. */
const DEFAULT_EPOCH = 1_767_225_600;

/**
 * The options as the environment has them: PROFILE, GUESTOS_SUITE, GUESTOS_MIRROR, LAYOUT, VARIANT, GUESTOS_VERSION,
 * SOURCE_DATE_EPOCH; for a HostOS HOSTOS_CONFIG: a config.json, the lab's in an image for development, and none in any other; for a SetupOS
 * STICK_FOLDER, likewise.
 *
 * @throws ProblemError for a value that is not one of those allowed, or when no mirror can be found
 */
export async function optionsFrom(env: NodeJS.ProcessEnv): Promise<ImageOptions> {
  const tree = resolve(import.meta.dirname, "..");
  const epoch = env["SOURCE_DATE_EPOCH"] ?? String(DEFAULT_EPOCH);
  if (!/^\d{1,10}$/.test(epoch)) throw wrong("SOURCE_DATE_EPOCH", epoch, "seconds since 1970");
  const version = env["GUESTOS_VERSION"] ?? (await packageVersion(tree));
  if (!/^[\w.+~-]+$/.test(version)) throw wrong("GUESTOS_VERSION", version, "letters, digits and . + ~ _ -");
  const profile = profileFrom(env);
  const variant = oneOf("VARIANT", env["VARIANT"] ?? "dev", ["dev", "prod"]);
  const labs = variant === "dev" ? join(tree, "lab/hostos-config.json") : undefined;
  const labsStick = variant === "dev" ? join(tree, "lab/setupos") : undefined;
  return {
    tree,
    out: join(tree, "build"),
    profile,
    suite: env["GUESTOS_SUITE"] ?? "trixie",
    mirror: env["GUESTOS_MIRROR"] ?? (await hostMirror()),
    layout: oneOf("LAYOUT", env["LAYOUT"] ?? "lab", ["lab", "prod"]),
    variant,
    version,
    epoch: Number(epoch),
    hostosConfig: profile === "hostos" ? env["HOSTOS_CONFIG"] || labs : undefined,
    stickFolder: profile === "setupos" ? stickFolderFrom(env["STICK_FOLDER"] || labsStick) : undefined,
  };
}

/** The profile that PROFILE names: the first one when it is not set. @throws ProblemError for a name that is none */
export function profileFrom(env: NodeJS.ProcessEnv): ProfileName {
  return oneOf("PROFILE", env["PROFILE"] || DEFAULT_PROFILE, profileNames);
}

/** Without deployment.json a stick installs nothing, and whoever has one later cannot add it: computers do not show its partition. */
function stickFolderFrom(folder: string | undefined): string {
  const file = join(folder ?? "STICK_FOLDER", "data/deployment.json");
  if (folder !== undefined && existsSync(file)) return folder;
  throw new ProblemError({
    code: "image-deployment-missing",
    what: "there is no deployment.json to put on the stick, and without it no node can be installed",
    where: { file },
    todo: "STICK_FOLDER=FOLDER make image PROFILE=setupos, with the file FOLDER/data/deployment.json (docs/setupos.md)",
  });
}

/** The first Debian archive among the apt sources of this machine, in either of apt's two formats (sources.list(5)). */
export function firstMirror(sources: string): string | undefined {
  const deb822 = /^URIs:\s*(\S+)/m.exec(sources);
  const oneLine = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)/m.exec(sources);
  return deb822?.[1] ?? oneLine?.[1];
}

async function hostMirror(): Promise<string> {
  for (const path of ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"]) {
    const mirror = existsSync(path) ? firstMirror(await readFile(path, "utf8")) : undefined;
    if (mirror !== undefined) return mirror;
  }
  throw new ProblemError({
    code: "image-mirror-unknown",
    what: "cannot tell where Debian packages come from",
    found: "no Debian archive in /etc/apt/sources.list.d/debian.sources or /etc/apt/sources.list",
    todo: "set GUESTOS_MIRROR to the address of a Debian archive",
  });
}

async function packageVersion(tree: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(tree, "package.json"), "utf8"));
  if (typeof manifest === "object" && manifest !== null && "version" in manifest) return String(manifest.version);
  throw new ProblemError({
    code: "image-version-missing",
    what: "package.json has no version",
    where: { file: join(tree, "package.json") },
  });
}

function oneOf<const T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined) throw wrong(name, value, allowed.join(" or "));
  return found;
}

function wrong(name: string, value: string, expected: string): ProblemError {
  return new ProblemError({
    code: "image-variable-wrong",
    what: `the variable ${name} has a value that is not known`,
    found: value,
    expected,
  });
}
