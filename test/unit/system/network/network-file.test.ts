import { expect, test } from "vitest";
import { networkFile, type NetworkSettings } from "../../../../src/system/network/network-file.ts";

const AUTOMATIC: NetworkSettings = { addresses: [], gateways: [], nameServers: [], domains: [], acceptRouterAdvertisements: true };

test("automatic configuration takes addresses from router advertisements and nothing from DHCP for IPv4", () => {
  expect(networkFile("enp1s0", AUTOMATIC, "file"))
    .toBe(`# Written by guestos-boot at every boot; edit network.conf on the config partition instead.
[Match]
Name=enp1s0

[Network]
DHCP=no
LinkLocalAddressing=ipv6
IPv6AcceptRA=yes
IPv6PrivacyExtensions=no
`);
});

// systemd.network(5), [Route]: GatewayOnLink= is for a gateway that is on the link, whatever the prefix of the address is.
test("static settings are all written, gateways as being on the link, and router advertisements are then off", () => {
  const settings = {
    addresses: ["2001:db8::17/64", "192.0.2.17/24"],
    gateways: ["2001:db8::1", "192.0.2.1"],
    nameServers: ["2001:db8::53", "9.9.9.9"],
    domains: ["example.org"],
    acceptRouterAdvertisements: false,
  };
  expect(networkFile("enp1s0", settings, "file"))
    .toBe(`# Written by guestos-boot at every boot; edit network.conf on the config partition instead.
[Match]
Name=enp1s0

[Network]
DHCP=no
LinkLocalAddressing=ipv6
IPv6AcceptRA=no
IPv6PrivacyExtensions=no
Address=2001:db8::17/64
Address=192.0.2.17/24
DNS=2001:db8::53
DNS=9.9.9.9
Domains=example.org

[Route]
Gateway=2001:db8::1
GatewayOnLink=yes

[Route]
Gateway=192.0.2.1
GatewayOnLink=yes
`);
});

test("name servers take the place of those that a router advertises; the first line says who has the settings", () => {
  const text = networkFile("enp1s0", { ...AUTOMATIC, nameServers: ["9.9.9.9"] }, "host");
  expect(text).toMatch(/^# Written by guestos-boot at every boot; the host's config\.json has these settings\.\n\[Match\]\n/);
  expect(text).toContain("\nDNS=9.9.9.9\n");
  expect(text).toContain("\n[IPv6AcceptRA]\nUseDNS=no\n\n[DHCPv6]\nUseDNS=no\n");
});
