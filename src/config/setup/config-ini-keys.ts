import type { Finding } from "../../base/finding.ts";
import * as z from "../../base/schema.ts";
import { matching, type Reader, word } from "../text/conf.ts";
import { readDomain } from "../values/host-name.ts";
import { readInstallToken } from "../values/install-token.ts";
import { isLinkLocal, readHostAddress } from "../values/ip-address.ts";

const flag = z.optional(
  z.pipe(
    word("true or false, in small letters", matching(/^(?:true|false)$/)),
    z.transform((value) => value === "true"),
  ),
);
const address = (expected: string, read: Reader) => z.optional(word(expected, read));

/**
 * config.ini, in which a node provider describes a node to the installer (dfinity/ic, rs/ic_os/config/tool/src/setupos/config_ini.rs; before
 * 2024 ic-os/setupos/rootfs/opt/ic/bin/config.sh). Values are in their canonical form.
 */
export const ConfigIni = z.object({
  ipv6_prefix: address("four groups of hexadecimal digits with : between them and no :: at the end, as in 2602:ffe4:801:17", readPrefix),
  ipv6_gateway: address("an IPv6 address, as in 2602:ffe4:801:17::1", (value) => readHostAddress(value, "ipv6")),
  ipv4_address: address("an IPv4 address, as in 212.71.124.178", (value) => readHostAddress(value, "ipv4")),
  ipv4_gateway: address("an IPv4 address, as in 212.71.124.177", (value) => readHostAddress(value, "ipv4")),
  ipv4_prefix_length: z.optional(
    z.pipe(word("a number from 1 to 32, without a slash", matching(/^(?:[1-9]|[12]\d|3[0-2])$/)), z.transform(Number)),
  ),
  domain: address("a domain name with a dot in it, as in node1.example.org", (value) =>
    value.includes(".") ? readDomain(value) : undefined,
  ),
  /** The kinds of machine that the installer knows (check-hardware.sh). */
  node_reward_type: z.optional(
    word("type0, type1, type3 or type4, alone or with a dot and a digit behind it, as in type3.1", matching(/^type[0134](?:\.\d)?$/)),
  ),
  verbose: flag,
  enable_trusted_execution_environment: flag,
  /** Of `guestos-boot check-node-hardware`: what is on the drives may be replaced. */
  replace_installed: z.optional(word("a token of check-node-hardware, as in 7KQ2-M9XD", readInstallToken)),
  /** Of this project's installer: it says what it would do with each drive, and changes nothing. */
  rehearse: flag,
  /** Of 2022 and 2023. An interface identifier has 64 bits (RFC 4291, 2.5.1), so there is one value. */
  ipv6_subnet: z.optional(word("/64", matching(/^\/64$/))),
});
export type ConfigIni = z.infer<typeof ConfigIni>;

/** Makes a mistake of a key, at its place. */
export type KeyFinding = (key: keyof ConfigIni, expected: string) => Finding;

/** A network's first 64 bits, in lower case without leading zeros. Fewer groups mean another network to some installers than to others. */
function readPrefix(value: string): string | undefined {
  if (!/^[\da-f]{1,4}(?::[\da-f]{1,4}){3}$/i.test(value)) return undefined;
  const router = readHostAddress(`${value}::1`, "ipv6");
  if (router === undefined || isLinkLocal(router)) return undefined;
  return value
    .split(":")
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
