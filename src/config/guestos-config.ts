import { refuseFindings } from "../base/finding.ts";
import type * as z from "../base/schema.ts";
import type { Host } from "../system/host.ts";
import { GuestosConfig, VERSION } from "./guestos-settings.ts";
import type { Layout } from "./layout/layout.ts";
import { JsonFile } from "./text/json-file.ts";
import type { JsonPath } from "./text/json-scan.ts";
import { type JsonFinding, pathText, scanSettings } from "./text/json-settings.ts";

/** Bytes, and objects within each other: ten times what a real file has. */
export const GUESTOS_CONFIG_BOUNDS = { longest: 256 * 1024, deepest: 32 };

/** What was read of a config.json: that of a guest, or that of a host. */
export interface OsConfigFile<T> {
  /** Its name, for messages. */
  readonly file: string;
  /** The usable settings. Any other value is as if it were absent. */
  readonly config: T;
  readonly findings: readonly JsonFinding[];
  /** Names that are ignored, and the like: one sentence each. */
  readonly notes: readonly string[];
  /** The text without the operator's key, and without a byte order mark: fit to be kept. */
  readonly text: string;
  /** Makes one more finding: a good value that another program cannot use. */
  readonly finding: (path: JsonPath, expected: string) => JsonFinding;
}

export type GuestosConfigFile = OsConfigFile<GuestosConfig>;

/** @throws ProblemError with line and column when it is no JSON object, or beyond the bounds */
export function scanGuestosConfig(content: Uint8Array, file: string): GuestosConfigFile {
  return scanOsConfig(content, file, GuestosConfig);
}

/** As `scanGuestosConfig`, with that schema. @throws ProblemError */
export function scanOsConfig<T extends { readonly config_version: string }>(
  content: Uint8Array,
  file: string,
  schema: z.ZodMiniType<T>,
): OsConfigFile<T> {
  const json = new JsonFile(content, file, GUESTOS_CONFIG_BOUNDS);
  const finding = (path: JsonPath, expected: string, found = json.shown(path)): JsonFinding => ({
    ...{ path, ...json.place(path), code: "value-not-usable", what: `${pathText(path)} is not usable`, found, expected },
  });
  if (typeof json.value !== "object" || json.value === null || Array.isArray(json.value)) refuseFindings(file, [finding([], "an object")]);
  const { value: config, findings, unknown } = scanSettings(json, schema);
  return {
    file,
    config,
    findings,
    notes: [...notesOf(config, json), ...ignored(unknown)],
    text: json.withValue(KEY_PATH, "null"),
    finding,
  };
}

const KEY_PATH = ["icos_settings", "node_operator_private_key"] as const;

/**
 * config.json as it is in force in this boot. Settings for development count in an image for development alone.
 *
 * @returns `undefined` where the host hands over none
 * @throws ProblemError
 */
export async function readGuestosConfig(host: Host, layout: Layout): Promise<GuestosConfigFile | undefined> {
  const content = await host.readBytes(layout.guestosConfig);
  if (content === undefined) return undefined;
  const read = scanGuestosConfig(content, layout.guestosConfig);
  if (await isDevelopmentImage(host, layout)) return read;
  const { guestos_settings } = read.config;
  const nothing = GuestosConfig.parse({}).guestos_settings.guestos_dev_settings;
  return {
    ...read,
    config: { ...read.config, guestos_settings: { ...guestos_settings, guestos_dev_settings: nothing } },
    findings: read.findings.filter(({ path }) => path[1] !== "guestos_dev_settings"),
  };
}

/** Whether settings for development count: a node of the public network must not take any from its host. */
export async function isDevelopmentImage(host: Host, layout: Layout): Promise<boolean> {
  return (await host.stat(layout.etc.developmentMark)) !== undefined;
}

/** Whether a configuration has any setting for development. */
export function hasDevelopmentSettings({ guestos_settings: { guestos_dev_settings: given } }: GuestosConfig): boolean {
  return Object.values(given).some((value) => value !== null && value !== undefined);
}

/** For a caller who can correct the file. @throws ProblemError naming every mistake with its place */
export function parseGuestosConfig(content: Uint8Array, file: string): GuestosConfigFile {
  const read = scanGuestosConfig(content, file);
  refuseFindings(file, read.findings);
  return read;
}

function notesOf({ config_version: version }: { readonly config_version: string }, json: JsonFile): readonly string[] {
  const [, major = "1", minor = "0"] = VERSION.exec(version) ?? [];
  const isNewer = Number(major) > 1 || Number(minor) > 17;
  return [
    ...(json.hasByteOrderMark ? ["it begins with a byte order mark, which is left out"] : []),
    ...(isNewer ? [`its version ${version} is later than 1.17, the last one that this program knows`] : []),
  ];
}

/** So many unknown names are listed; further ones are only counted. */
const LISTED = 10;

function ignored(paths: readonly JsonPath[]): readonly string[] {
  if (paths.length === 0) return [];
  const rest = paths.length > LISTED ? ` and ${paths.length - LISTED} more` : "";
  return [
    `it has names that are not known, and are ignored: ${paths
      .slice(0, LISTED)
      .map((path) => pathText(path))
      .join(", ")}${rest}`,
  ];
}
