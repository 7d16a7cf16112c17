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
interface IcSettings {
  /** With prefix length; `undefined` for automatic addresses. */
  readonly ipv6Address: string | undefined;
  /** The values of ic.json5.template, by the names that it has for them. The prefix of the node's network is not among them. */
  readonly values: ReadonlyMap<string, TemplateValue>;
  /** The mistakes in files that no other unit reads. */
  readonly findings: readonly ConfFinding[];
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

const text = (value = ""): TemplateValue => ({ text: value });
const literal = (value: number | string): TemplateValue => ({ literal: String(value) });

/** What comes with the network and the backup settings, which both kinds of a configuration have. */
type Rest = Record<"nns_urls" | "query_stats_epoch_length" | "jaeger_addr" | "node_reward_type" | "malicious_behavior", TemplateValue>;

/** The address of the registry that a node of today uses when its host gives none: itself. */
const DEFAULT_NNS_URL = "http://[::1]:8080";

/**
 * The settings that this node was given: by config.json of today's hosts, or by the files of older ones. A value that cannot be used counts
 * as absent.
 *
 * @throws ProblemError for a file of the node that has mistakes, and whose own unit reports them
 */
export async function readIcSettings(host: Host, layout: Layout): Promise<IcSettings> {
  const [network, backup, handedOver] = await Promise.all([
    readNetworkConf(host, layout),
    readBackupConf(host, layout),
    readGuestosConfig(host, layout),
  ]);
  const { rest, findings } = handedOver === undefined ? await restOfFiles(host, layout) : { rest: restOf(handedOver.config), findings: [] };
  const values = {
    ...rest,
    ipv4_address: text(network.ipv4_address),
    ipv4_gateway: text(network.ipv4_gateway),
    domain_name: text(network.domain),
    backup_retention_time_secs: literal(backup.backup_retention_time_secs),
    backup_purging_interval_secs: literal(backup.backup_purging_interval_secs),
  };
  return { ipv6Address: network.ipv6_address, values: new Map(Object.entries(values)), findings };
}

function restOf({ icos_settings: icos, guestos_settings: { guestos_dev_settings: dev } }: GuestosConfig): Rest {
  return {
    nns_urls: text(icos.nns_urls.length === 0 ? DEFAULT_NNS_URL : icos.nns_urls.join(",")),
    node_reward_type: text(icos.node_reward_type ?? ""),
    query_stats_epoch_length: literal(dev.query_stats_epoch_length ?? DEFAULT_EPOCH_LENGTH),
    jaeger_addr: text(dev.jaeger_addr ?? ""),
    malicious_behavior: literal(JSON.stringify(dev.malicious_behavior ?? null)),
  };
}

async function restOfFiles(host: Host, layout: Layout): Promise<{ readonly rest: Rest; readonly findings: readonly ConfFinding[] }> {
  const nns = await readNnsConf(host, layout);
  const [epoch, jaeger, reward] = await Promise.all(
    [SMALL.epoch, SMALL.jaeger, SMALL.reward].map(async (one) => readSmall(host, layout, one)),
  );
  return {
    rest: {
      nns_urls: text(nns.nns_url.join(",")),
      node_reward_type: text(reward?.value),
      query_stats_epoch_length: literal(epoch?.value ?? DEFAULT_EPOCH_LENGTH),
      jaeger_addr: text(jaeger?.value),
      malicious_behavior: literal("null"),
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
