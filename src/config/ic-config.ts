import { join } from "node:path";
import * as z from "../base/schema.ts";
import type { Host } from "../system/host.ts";
import { canonicalIp } from "../system/network/network-interfaces.ts";
import { readBackupConf } from "./backup-conf.ts";
import { readGuestosConfig } from "./guestos-config.ts";
import type { GuestosConfig } from "./guestos-settings.ts";
import type { Layout } from "./layout/layout.ts";
import { readNetworkConf } from "./node-network.ts";
import { readNnsConf } from "./nns-conf.ts";
import { type ConfFinding, matching, readConf, scanConf, word } from "./text/conf.ts";
import type { TemplateValue } from "./text/json5-template.ts";
import { addressBits } from "./values/ip-network.ts";

/** What the orchestrator and the replica are told about this node. */
export interface IcSettings {
  /** With prefix length; absent for automatic addresses. */
  readonly ipv6Address?: string;
  /** With prefix length, beside its gateway. */
  readonly ipv4Address: string;
  readonly ipv4Gateway: string;
  readonly domainName: string;
  readonly nnsUrls: readonly string[];
  /** Seconds. */
  readonly backupRetention: number;
  readonly backupPurging: number;
  readonly queryStatsEpochLength: number;
  readonly jaegerAddress: string;
  readonly nodeRewardType: string;
  /** JSON. */
  readonly maliciousBehavior: string;
}

/** Blocks, of about a second each. */
const DEFAULT_EPOCH_LENGTH = 600;

interface Small {
  readonly name: string;
  readonly key: string;
  readonly expected: string;
  readonly form: RegExp;
}

/** Files of older hosts with one value each. */
const SMALL = {
  epoch: { name: "query_stats.conf", key: "query_stats_epoch_length", expected: "a whole number from 1 on", form: /^[1-9]\d{0,14}$/ },
  jaeger: {
    name: "jaeger_addr.conf",
    key: "jaeger_addr",
    expected: "a word without quotes and backslashes",
    form: /^[!#-&(-[\]-~]{1,256}$/,
  },
  reward: { name: "reward.conf", key: "node_reward_type", expected: "the type of a node, as in type3.1", form: /^type\d{1,3}(?:\.\d)?$/ },
} as const satisfies Readonly<Record<string, Small>>;

/** What comes with the network and the backup settings, which both kinds of a configuration have. */
type Rest = Omit<IcSettings, "ipv6Address" | "ipv4Address" | "ipv4Gateway" | "domainName" | "backupRetention" | "backupPurging">;

/** The address of the registry that a node of today uses when its host gives none: itself. */
const DEFAULT_NNS_URL = "http://[::1]:8080";

/**
 * The settings that this node was given: by config.json of today's hosts, or by the files of older ones. A value that cannot be used counts
 * as absent.
 *
 * @returns beside them the mistakes in files that no other unit reads
 * @throws ProblemError for a file of the node that has mistakes, and whose own unit reports them
 */
export async function readIcSettings(
  host: Host,
  layout: Layout,
): Promise<{ readonly settings: IcSettings; readonly findings: readonly ConfFinding[] }> {
  const [network, backup, handedOver] = await Promise.all([
    readNetworkConf(host, layout),
    readBackupConf(host, layout),
    readGuestosConfig(host, layout),
  ]);
  const { rest, findings } = handedOver === undefined ? await restOfFiles(host, layout) : { rest: restOf(handedOver.config), findings: [] };
  return {
    settings: {
      ...rest,
      ...(network.ipv6_address === undefined ? {} : { ipv6Address: network.ipv6_address }),
      ipv4Address: network.ipv4_address ?? "",
      ipv4Gateway: network.ipv4_gateway ?? "",
      domainName: network.domain ?? "",
      backupRetention: backup.backup_retention_time_secs,
      backupPurging: backup.backup_purging_interval_secs,
    },
    findings,
  };
}

function restOf({ icos_settings: icos, guestos_settings: { guestos_dev_settings: dev } }: GuestosConfig): Rest {
  return {
    nnsUrls: icos.nns_urls.length === 0 ? [DEFAULT_NNS_URL] : icos.nns_urls,
    nodeRewardType: icos.node_reward_type ?? "",
    queryStatsEpochLength: dev.query_stats_epoch_length ?? DEFAULT_EPOCH_LENGTH,
    jaegerAddress: dev.jaeger_addr ?? "",
    maliciousBehavior: JSON.stringify(dev.malicious_behavior ?? null),
  };
}

async function restOfFiles(host: Host, layout: Layout): Promise<{ readonly rest: Rest; readonly findings: readonly ConfFinding[] }> {
  const nns = await readNnsConf(host, layout);
  const [epoch, jaeger, reward] = await Promise.all(
    [SMALL.epoch, SMALL.jaeger, SMALL.reward].map(async (one) => readSmall(host, layout, one)),
  );
  return {
    rest: {
      nnsUrls: nns.nns_url,
      nodeRewardType: reward?.value ?? "",
      queryStatsEpochLength: Number(epoch?.value ?? DEFAULT_EPOCH_LENGTH),
      jaegerAddress: jaeger?.value ?? "",
      maliciousBehavior: "null",
    },
    findings: [epoch, jaeger, reward].flatMap((small) => small?.findings ?? []),
  };
}

async function readSmall(
  host: Host,
  layout: Layout,
  { name, key, expected, form }: Small,
): Promise<{ readonly value: string | undefined; readonly findings: readonly ConfFinding[] }> {
  const schema = z.object({ [key]: z.optional(word(expected, matching(form))) });
  const read = await readConf(host, join(layout.mountPoints.config, name), (content, file) => scanConf(content, file, schema, [key]));
  return { value: read?.conf[key], findings: read?.findings ?? [] };
}

/**
 * The network of an address in which its neighbours are: the first 64 bits (rs/ic_os/config/tool, generate_ipv6_prefix).
 *
 * @param address valid, without a prefix length
 */
export function neighbourhood(address: string): string {
  const canonical = canonicalIp(address);
  if (canonical === "::1") return "::1/128";
  const bits = addressBits(canonical, "ipv6") ?? 0n;
  const groups = [112n, 96n, 80n, 64n].map((shift) => BigInt.asUintN(16, bits >> shift).toString(16));
  return `${canonicalIp(`${groups.join(":")}::`)}/64`;
}

/** The values of ic.json5.template, by the names that it has for them. */
export function icConfigValues(settings: IcSettings, ipv6Prefix: string): ReadonlyMap<string, TemplateValue> {
  const text = (value: string): TemplateValue => ({ text: value });
  const literal = (value: number | string): TemplateValue => ({ literal: String(value) });
  return new Map([
    ["ipv6_prefix", text(ipv6Prefix)],
    ["ipv4_address", text(settings.ipv4Address)],
    ["ipv4_gateway", text(settings.ipv4Gateway)],
    ["nns_urls", text(settings.nnsUrls.join(","))],
    ["backup_retention_time_secs", literal(settings.backupRetention)],
    ["backup_purging_interval_secs", literal(settings.backupPurging)],
    ["query_stats_epoch_length", literal(settings.queryStatsEpochLength)],
    ["jaeger_addr", text(settings.jaegerAddress)],
    ["domain_name", text(settings.domainName)],
    ["node_reward_type", text(settings.nodeRewardType)],
    ["malicious_behavior", literal(settings.maliciousBehavior)],
  ]);
}
