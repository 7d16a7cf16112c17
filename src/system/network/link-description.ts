import * as z from "../../base/schema.ts";
import type { StaticSettings } from "./network-file.ts";
import { canonicalIp } from "./network-interfaces.ts";
import { ProblemError } from "../../base/problem.ts";
import { jsonIn } from "../../base/json.ts";

/** The state of one link according to systemd-networkd. Addresses in the canonical form of `canonicalIp`. */
export interface LinkDescription {
  /** The .network file in force for the link. */
  readonly networkFile?: string;
  /** "configuring", "configured", "failed", "unmanaged", … (networkctl(1)). */
  readonly administrativeState: string;
  /** "off", "no-carrier", "carrier", "degraded", "routable", … (networkctl(1)). */
  readonly operationalState: string;
  readonly hasCarrier: boolean;
  /** The settings from the .network file that are in force, each list sorted. */
  readonly static: StaticSettings;
}

/** Whether networkd is still configuring the link (networkctl(1)). If all goes well, that lasts only a moment. */
export function isBusy({ administrativeState }: LinkDescription): boolean {
  return ["pending", "initialized", "configuring"].includes(administrativeState);
}

const text = z.optional(z.string());
const Sourced = z.object({ ConfigSource: text, ConfigState: text });
const Bytes = z.array(z.int().check(z.minimum(0), z.maximum(255)));
const listOf = <Shape extends z.core.$ZodLooseShape>(shape: Shape) => z._default(z.array(z.extend(Sourced, shape)), []);
// Only the fields in use: networkd adds fields with every version, and omits empty ones.
const Description = z.object({
  NetworkFile: text,
  AdministrativeState: z.string(),
  OperationalState: z.string(),
  CarrierState: z.string(),
  Addresses: listOf({ Address: Bytes, PrefixLength: z.number() }),
  Routes: listOf({ Gateway: z.optional(Bytes), DestinationPrefixLength: z.number() }),
  DNS: listOf({ Address: Bytes }),
  SearchDomains: listOf({ Domain: z.string() }),
});

/**
 * Parses the JSON of Manager.DescribeLink, which `networkctl --json=short status LINK` prints too.
 *
 * @throws ProblemError for any other text
 */
export function parseLinkDescription(text: string): LinkDescription {
  const parsed = Description.safeParse(jsonIn(text));
  if (!parsed.success) {
    throw new ProblemError({
      code: "link-description-unreadable",
      what: "systemd-networkd described the link in an unknown format",
      found: z.prettifyError(parsed.error).replaceAll("\n", " "),
    });
  }
  const { data } = parsed;
  // The state is a list of words: "configuring" alone is not in force yet, "configured,removing" not for long. A setting that survives a
  // reload is "configuring,configured", even after networkd has finished with it (seen with systemd 252).
  const inForce = ({ ConfigSource, ConfigState = "configured" }: z.infer<typeof Sourced>): boolean => {
    const words = ConfigState.split(",");
    return ConfigSource === "static" && words.includes("configured") && !words.includes("removing");
  };
  const gateways = data.Routes.filter((route) => inForce(route) && route.DestinationPrefixLength === 0);
  return {
    ...(data.NetworkFile === undefined ? {} : { networkFile: data.NetworkFile }),
    administrativeState: data.AdministrativeState,
    operationalState: data.OperationalState,
    hasCarrier: !["off", "no-carrier"].includes(data.CarrierState),
    static: {
      addresses: data.Addresses.filter(inForce)
        .map((entry) => `${ipOf(entry.Address)}/${entry.PrefixLength}`)
        .toSorted(),
      gateways: gateways.flatMap((route) => (route.Gateway === undefined ? [] : [ipOf(route.Gateway)])).toSorted(),
      nameServers: data.DNS.filter(inForce).map((entry) => ipOf(entry.Address)),
      domains: data.SearchDomains.filter(inForce)
        .map((entry) => entry.Domain)
        .toSorted(),
    },
  };
}

function ipOf(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  return canonicalIp(
    Buffer.from(bytes)
      .toString("hex")
      .replaceAll(/.{4}(?=.)/g, "$&:"),
  );
}

/** The settings in the order of a description, so that the two can be compared. */
export function asStatic({ addresses, gateways, nameServers, domains }: StaticSettings): StaticSettings {
  return { addresses: addresses.toSorted(), gateways: gateways.toSorted(), nameServers, domains };
}

/** The settings that are not yet applied, in words: "address 2001:db8::1/64 → 2001:db8::2/64". Empty when all are applied. */
export function staticDifferences(link: LinkDescription, wanted: StaticSettings): readonly string[] {
  // Without a carrier networkd sets no addresses and routes; it sets them when there is one (ConfigureWithoutCarrier=).
  const compared = [
    { what: "address", old: link.hasCarrier ? link.static.addresses : wanted.addresses, new: wanted.addresses },
    { what: "gateway", old: link.hasCarrier ? link.static.gateways : wanted.gateways, new: wanted.gateways },
    { what: "name servers", old: link.static.nameServers, new: wanted.nameServers },
    { what: "domain", old: link.static.domains, new: wanted.domains },
  ];
  const words = (values: readonly string[]): string => (values.length === 0 ? "automatic" : values.join(" "));
  return compared
    .filter((part) => words(part.old) !== words(part.new))
    .map((part) => `${part.what} ${words(part.old)} → ${words(part.new)}`);
}
