import { expect, test } from "vitest";
import {
  asStatic,
  type LinkDescription,
  parseLinkDescription,
  staticDifferences,
} from "../../../../src/system/network/link-description.ts";

const V6 = [32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5];
const ROUTER = [32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const FROM_RA = [32, 1, 13, 184, 0, 1, 0, 0, 80, 84, 0, 255, 254, 18, 52, 86];

/** Shortened from what systemd-networkd 252 answers; the fields are those that are read, and one that is not. */
const DESCRIPTION = {
  Index: 3,
  Name: "eth0",
  AdministrativeState: "configured",
  OperationalState: "routable",
  CarrierState: "carrier",
  NetworkFile: "/run/systemd/network/10-eth0.network",
  DNS: [
    { Family: 2, Address: [9, 9, 9, 9], ConfigSource: "static" },
    { Family: 10, Address: ROUTER, ConfigSource: "NDisc" },
  ],
  SearchDomains: [{ Domain: "example.org", ConfigSource: "static" }],
  Addresses: [
    { Family: 10, Address: V6, PrefixLength: 64, ConfigSource: "static", ConfigState: "configured" },
    { Family: 10, Address: FROM_RA, PrefixLength: 64, ConfigSource: "NDisc", ConfigState: "configured" },
    { Family: 2, Address: [192, 0, 2, 17], PrefixLength: 24, ConfigSource: "static", ConfigState: "configured,removing" },
    { Family: 2, Address: [192, 0, 2, 18], PrefixLength: 24, ConfigSource: "static", ConfigState: "configuring" },
  ],
  Routes: [
    { Family: 10, Destination: V6, DestinationPrefixLength: 64, ConfigSource: "foreign", ConfigState: "configured" },
    { Family: 10, DestinationPrefixLength: 0, Gateway: ROUTER, ConfigSource: "static", ConfigState: "configuring,configured" },
  ],
};

function described(changes: Partial<LinkDescription> = {}): LinkDescription {
  return { ...parseLinkDescription(JSON.stringify(DESCRIPTION)), ...changes };
}

test("of a description, what the .network file gave and what is in force is kept apart from the rest", () => {
  expect(described()).toEqual({
    networkFile: "/run/systemd/network/10-eth0.network",
    administrativeState: "configured",
    operationalState: "routable",
    hasCarrier: true,
    static: { addresses: ["2001:db8::5/64"], gateways: ["2001:db8::1"], nameServers: ["9.9.9.9"], domains: ["example.org"] },
  });
});

test("a link that networkd does not manage has no file and no settings", () => {
  const link = parseLinkDescription('{"AdministrativeState":"unmanaged","OperationalState":"no-carrier","CarrierState":"no-carrier"}');
  expect(link).toEqual({
    administrativeState: "unmanaged",
    operationalState: "no-carrier",
    hasCarrier: false,
    static: { addresses: [], gateways: [], nameServers: [], domains: [] },
  });
});

test.each(["", "not JSON", "[]", '{"AdministrativeState":7}'])("an answer that is no description is an error: %j", (text) => {
  expect(() => parseLinkDescription(text)).toThrow("unknown format");
});

const WANTED = {
  addresses: ["2001:db8::5/64"],
  gateways: ["2001:db8::1"],
  nameServers: ["9.9.9.9"],
  domains: ["example.org"],
  acceptRouterAdvertisements: false,
};

test("settings that are in force make no difference", () => {
  expect(staticDifferences(described(), asStatic(WANTED))).toEqual([]);
});

test("differences are told from old to new", () => {
  const wanted = asStatic({ ...WANTED, domains: [], addresses: ["2001:db8::6/64"], nameServers: ["1.1.1.1", "9.9.9.9"] });
  expect(staticDifferences(described(), wanted)).toEqual([
    "address 2001:db8::5/64 → 2001:db8::6/64",
    "name servers 9.9.9.9 → 1.1.1.1 9.9.9.9",
    "domain example.org → automatic",
  ]);
});

test("the order of name servers counts, since the first is asked first", () => {
  const link = described({ static: { ...described().static, nameServers: ["1.1.1.1", "9.9.9.9"] } });
  expect(staticDifferences(link, asStatic({ ...WANTED, nameServers: ["9.9.9.9", "1.1.1.1"] }))).toHaveLength(1);
});

test("without a carrier, addresses and gateways that are not set yet are no difference", () => {
  const link = described({ hasCarrier: false, static: { ...described().static, addresses: [], gateways: [] } });
  expect(staticDifferences(link, asStatic(WANTED))).toEqual([]);
});
