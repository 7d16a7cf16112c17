import { refuseFindings } from "../base/finding.ts";
import { ProblemError } from "../base/problem.ts";
import { Secret } from "../base/secret.ts";
import * as z from "../base/schema.ts";
import type { Layout } from "./layout/layout.ts";
import type { Host } from "../system/host.ts";
import { readWebUrl } from "./nns-conf.ts";
import { JsonFile } from "./text/json-file.ts";
import type { JsonPath } from "./text/json-scan.ts";
import {
  choice,
  faultOf,
  type Fault,
  flag,
  type JsonFinding,
  needed,
  pathText,
  plain,
  scanSettings,
  section,
  setting,
  text,
  whole,
} from "./text/json-settings.ts";
import { isPrefix } from "./values/deterministic-address.ts";
import { isHostname, readDomain } from "./values/host-name.ts";
import { readHostAddress, readInterfaceAddress } from "./values/ip-address.ts";
import { checkPrivateKey, checkPublicKey } from "./values/pem.ts";

/** Bytes, and objects within each other: ten times what a real file has. */
export const GUESTOS_CONFIG_BOUNDS = { longest: 256 * 1024, deepest: 32 };
/** The same for a text in it: certificates are the longest. */
const LONGEST_TEXT = 64 * 1024;
/** Ten years, in seconds: a larger value is a mistake, such as milliseconds. */
const LONGEST_TIME = 10 * 365 * 86_400;

const IPV6_GATEWAY = setting(
  "an IPv6 address, as in 2001:db8::1 or fe80::1",
  text((found) => readHostAddress(found, "ipv6")),
  null,
);

/** The object with the settings of a choice, and the one with its name alone. */
const CHOICE = 2;

/** Static: router advertisements are off. */
const Fixed = section({
  address: needed(
    "an IPv6 address with prefix length, as in 2001:db8::17/64",
    text((found) => readInterfaceAddress(found, "ipv6")),
    CHOICE,
  ),
  gateway: IPV6_GATEWAY,
});

/** Static: the address follows from `mgmt_mac` and `deployment_environment`. */
const Deterministic = section({
  prefix: needed("the first 64 bits of a network, as in 2001:db8:0:17", plain(isPrefix), CHOICE),
  /** An interface identifier has 64 bits (RFC 4291, 2.5.1). */
  prefix_length: setting("64", whole(64, 64), 64),
  gateway: IPV6_GATEWAY,
});

type Ipv6Config =
  | ({ readonly kind: "Fixed" } & z.infer<typeof Fixed>)
  | ({ readonly kind: "Deterministic" } & z.infer<typeof Deterministic>)
  /** Automatic. */
  | { readonly kind: "RouterAdvertisement" }
  /** Of a later version. */
  | { readonly kind: "Unknown" };

/** A word, or an object with one name, as the host's serialiser writes a choice. */
const Ipv6Config = z.pipe(
  z.optional(z.unknown()),
  z.transform((found, { issues }): Ipv6Config => {
    if (found === undefined || found === null || found === "" || found === "RouterAdvertisement") return { kind: "RouterAdvertisement" };
    if (typeof found === "string") return { kind: "Unknown" };
    const entries: readonly (readonly [string, unknown])[] = Object.entries(object(found) ?? {});
    const [entry, ...more] = entries;
    if (entry === undefined || more.length > 0) {
      issues.push({ code: "custom", message: '"RouterAdvertisement", or an object with Fixed or Deterministic in it', input: found });
      return z.NEVER;
    }
    const [kind, content] = entry;
    const named = <T extends object>(schema: z.ZodMiniType<T>): T => {
      const parsed = z.safeParse(schema, content);
      if (parsed.success) return parsed.data;
      for (const issue of parsed.error.issues) {
        const at = { path: [kind, ...issue.path], input: content };
        if (issue.code === "unrecognized_keys") issues.push({ code: issue.code, keys: issue.keys, ...at, input: {} });
        else issues.push({ code: "custom", message: issue.message, params: faultOf(issue), ...at });
      }
      return z.NEVER;
    };
    if (kind === "Fixed") return { kind, ...named(Fixed) };
    return kind === "Deterministic" ? { kind, ...named(Deterministic) } : { kind: "Unknown" };
  }),
);

/** All of it, or none: the host writes `null` where it has only a part. */
const Ipv4Config = section({
  address: needed(
    "an IPv4 address, as in 192.0.2.17",
    text((found) => readHostAddress(found, "ipv4")),
  ),
  gateway: needed(
    "an IPv4 address, as in 192.0.2.1",
    text((found) => readHostAddress(found, "ipv4")),
  ),
  prefix_length: needed("a whole number from 1 to 32", whole(1, 32)),
});

/** The network of today has four. Each wrong one costs a pass over the whole file. */
const MOST_URLS = 64;

/** A list, or one text. Each text may hold several URLs with commas between them: older hosts wrote a list of one such text. */
const NnsUrls = z.pipe(
  z.optional(z.unknown()),
  z.transform((found, { issues }): readonly string[] => {
    const urls = new Set<string>();
    const partsOf = (element: unknown): readonly string[] =>
      typeof element === "string" ? element.split(/[ ,]+/).filter((part) => part !== "") : [];
    const elements: readonly unknown[] = Array.isArray(found) ? found : [found];
    if (elements.length > MOST_URLS || elements.flatMap(partsOf).length > MOST_URLS) {
      issues.push({ code: "custom", message: `at most ${MOST_URLS} URLs`, input: found });
      return z.NEVER;
    }
    const read = (element: unknown, path: PropertyKey[]): void => {
      const parts = partsOf(element);
      const [wrong] = typeof element === "string" ? parts.filter((part) => readWebUrl(part) === undefined) : [undefined];
      for (const part of parts) urls.add(readWebUrl(part) ?? "");
      if (typeof element === "string" && wrong === undefined) return;
      const fault: Fault = wrong === undefined ? { rest: "" } : { part: wrong, rest: parts.filter((part) => part !== wrong).join(",") };
      issues.push({ code: "custom", message: "http:// or https:// URLs without a user", input: element, path, params: fault });
    };
    if (Array.isArray(found)) for (const [index, element] of elements.entries()) read(element, [index]);
    else if (found !== undefined && found !== null) read(found, []);
    return [...urls];
  }),
);

const OperatorKey = setting(
  "one PEM block PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY, not encrypted",
  (found) => {
    const key = typeof found === "string" ? new Secret(Buffer.from(withLineEnds(found))) : undefined;
    return key !== undefined && isAccepted(() => checkPrivateKey(key, "")) ? key : undefined;
  },
  null,
  { secret: true },
);

/** Printable ASCII without blanks, quotes and backslashes: the node software gets the value within a text of its own configuration. */
const plainWord = setting(
  "a word without blanks, quotes and backslashes",
  plain((found) => /^[!#-&(-[\]-~]{1,256}$/.test(found)),
  null,
);

const BackupSpool = section({
  backup_retention_time_seconds: setting(`a whole number of seconds from 0 to ${LONGEST_TIME}`, whole(0, LONGEST_TIME), null),
  backup_purging_interval_seconds: setting(`a whole number of seconds from 1 to ${LONGEST_TIME}`, whole(1, LONGEST_TIME), null),
});

/** Read in a dev image alone (`readGuestosConfig`). */
const GuestosDevSettings = section({
  backup_spool: z._default(z.nullable(BackupSpool), null),
  /** The replica alone knows what is in it. */
  malicious_behavior: setting("an object", object, null),
  query_stats_epoch_length: setting("a whole number from 1 on", whole(1, Number.MAX_SAFE_INTEGER), null),
  bitcoind_addr: plainWord,
  dogecoind_addr: plainWord,
  jaeger_addr: plainWord,
  socks_proxy: plainWord,
  hostname: setting("a host name of letters, digits, hyphens and dots (RFC 1123), at most 64 characters", plain(isHostname), null),
  generate_ic_boundary_tls_cert: setting("a domain name, as in example.org", text(readDomain), null),
  nns_pub_key_override: setting(
    "one PEM block PUBLIC KEY",
    text((found) => (isAccepted(() => checkPublicKey(Buffer.from(withLineEnds(found)), "")) ? withLineEnds(found) : undefined)),
    null,
  ),
  // For system tests of ic-boundary, which no node of this profile runs: not held, because one of them may have a private key in it.
  ic_boundary_tls_cert: z.optional(z.unknown()),
  extra_api_boundary_node_trust_anchors_pem: z.optional(z.unknown()),
});

const NetworkSettings = section({
  ipv6_config: Ipv6Config,
  ipv4_config: z._default(z.nullable(Ipv4Config), null),
  domain_name: setting("a domain name, as in example.org", text(readDomain), null),
});

const IcosSettings = section({
  node_reward_type: setting(
    "the type of a node, as in type3.1",
    plain((found) => /^type\d{1,3}(?:\.\d)?$/.test(found)),
    null,
  ),
  /** Of the machine's BMC, in lower case with colons: the node's name and its computed addresses follow from it. */
  mgmt_mac: setting(
    "a MAC address, as in b0:7b:25:c8:f6:c0",
    text((found) => (/^[\da-f]{2}(?:[:-][\da-f]{2}){5}$/i.test(found) ? found.toLowerCase().replaceAll("-", ":") : undefined)),
    null,
  ),
  deployment_environment: setting('"mainnet" or "testnet"', choice("mainnet", "testnet"), "unknown"),
  nns_urls: NnsUrls,
  node_operator_private_key: OperatorKey,
  enable_trusted_execution_environment: setting("true or false", flag, false),
  use_ssh_authorized_keys: setting("true or false", flag, false),
  icos_dev_settings: z.optional(z.unknown()),
  // Removed, and never used again.
  use_node_operator_private_key: z.optional(z.unknown()),
  use_nns_public_key: z.optional(z.unknown()),
  logging: z.optional(z.unknown()),
});

const GuestosSettings = section({
  guestos_dev_settings: z.prefault(GuestosDevSettings, {}),
  engine_management_canister_id: setting(
    "the id of a canister, as in rdmx6-jaaaa-aaaaa-aaadq-cai",
    plain((found) => /^[a-z2-7]{1,5}(?:-[a-z2-7]{1,5}){0,12}$/.test(found)),
    null,
  ),
  // Removed, and never used again: what the medium brings is taken in.
  inject_ic_crypto: z.optional(z.unknown()),
  inject_ic_state: z.optional(z.unknown()),
  inject_ic_registry_local_store: z.optional(z.unknown()),
  recovery_hash: z.optional(z.unknown()),
});

/**
 * config.json of a GuestOS, from its host: GuestOSConfig of dfinity/ic (rs/ic_os/config/types), versions 1.0 to 1.17. Each value has a
 * default, so the host may leave out any of them. Texts are in their canonical form (docs/configuration.md).
 */
export const GuestosConfig = section({
  config_version: setting(
    "a version, as in 1.17.0",
    plain((found) => VERSION.test(found)),
    "",
  ),
  network_settings: z.prefault(NetworkSettings, {}),
  icos_settings: z.prefault(IcosSettings, {}),
  guestos_settings: z.prefault(GuestosSettings, {}),
  /** `upgrade`: the VM that only takes over keys while the other one is upgraded. */
  guest_vm_type: setting('"default" or "upgrade"', choice("default", "upgrade"), "default"),
  upgrade_config: z.prefault(
    section({
      peer_guest_vm_address: setting(
        "an IPv6 address",
        text((found) => readHostAddress(found, "ipv6")),
        null,
      ),
    }),
    {},
  ),
  trusted_execution_environment_config: z._default(
    z.nullable(
      section({
        sev_cert_chain_pem: needed(
          "certificates in PEM",
          plain((found) => found.length <= LONGEST_TEXT),
        ),
      }),
    ),
    null,
  ),
  recovery_config: z._default(
    z.nullable(
      section({
        recovery_hash: needed(
          "the beginning of a sha256, in hexadecimal digits",
          plain((found) => /^[\da-f]{1,64}$/i.test(found)),
        ),
      }),
    ),
    null,
  ),
  hostos_settings: z.optional(z.unknown()),
});
export type GuestosConfig = z.infer<typeof GuestosConfig>;

const VERSION = /^(\d{1,6})\.(\d{1,6})\.\d{1,6}$/;

/** What was read of a config.json. */
export interface GuestosConfigFile {
  /** Its name, for messages. */
  readonly file: string;
  /** The usable settings. Any other value is as if it were absent. */
  readonly config: GuestosConfig;
  readonly findings: readonly JsonFinding[];
  /** Names that are ignored, and the like: one sentence each. */
  readonly notes: readonly string[];
  /** The text without the operator's key, and without a byte order mark: fit to be kept. */
  readonly text: string;
  /** Makes one more finding: a good value that another program cannot use. */
  readonly finding: (path: JsonPath, expected: string) => JsonFinding;
}

/** @throws ProblemError with line and column when it is no JSON object, or beyond the bounds */
export function scanGuestosConfig(content: Uint8Array, file: string): GuestosConfigFile {
  const json = new JsonFile(content, file, GUESTOS_CONFIG_BOUNDS);
  const finding = (path: JsonPath, expected: string, found = json.shown(path)): JsonFinding => ({
    ...{ path, ...json.place(path), code: "value-not-usable", what: `${pathText(path)} is not usable`, found, expected },
  });
  if (typeof json.value !== "object" || json.value === null || Array.isArray(json.value)) refuseFindings(file, [finding([], "an object")]);
  const { value: config, findings, unknown } = scanSettings(json, GuestosConfig);
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

function notesOf({ config_version: version }: GuestosConfig, json: JsonFile): readonly string[] {
  const [, major = "1", minor = "0"] = VERSION.exec(version) ?? [];
  const isNewer = Number(major) > 1 || Number(minor) > 17;
  return [
    ...(json.hasByteOrderMark ? ["it begins with a byte order mark, which is left out"] : []),
    ...(isNewer ? [`its version ${version} is later than 1.17, the last one that this program knows`] : []),
  ];
}

/** So many unknown names are listed; further ones are only counted. */
const LISTED = 10;

function ignored(paths: readonly string[]): readonly string[] {
  if (paths.length === 0) return [];
  const rest = paths.length > LISTED ? ` and ${paths.length - LISTED} more` : "";
  return [`it has names that are not known, and are ignored: ${paths.slice(0, LISTED).join(", ")}${rest}`];
}

function object(found: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof found === "object" && !Array.isArray(found) ? { ...found } : undefined;
}

/** A PEM text as a file of its own. */
function withLineEnds(pem: string): string {
  return `${pem.replaceAll("\r\n", "\n").trim()}\n`;
}

function isAccepted(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof ProblemError) return false;
    throw error;
  }
}
