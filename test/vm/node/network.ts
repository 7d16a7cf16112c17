import { describe, expect, test } from "vitest";
import * as z from "../../../src/base/schema.ts";
import { injectedNetwork } from "../support/injected-node.ts";
import { node } from "./story.ts";

describe("the network", () => {
  test("host name, addresses and name servers are the injected ones", () =>
    node.use(async (vm) => {
      const { hostname, domain, address, nameServer } = injectedNetwork;
      expect(await vm.shell.ok("hostname; cat /etc/hostname")).toBe(`${hostname}\n${hostname}\n`);
      // An address of another scope leaves an empty object.
      const Address = z.object({ local: z.optional(z.string()), prefixlen: z.optional(z.number()) });
      const links = z.array(z.object({ addr_info: z.array(Address) })).parse(await vm.shell.json("ip --json address show scope global"));
      const addresses = links.flatMap(({ addr_info }) =>
        addr_info.flatMap(({ local, prefixlen }) => (local === undefined ? [] : [`${local}/${prefixlen}`])),
      );
      // By SLAAC from QEMU's router, since network.conf names no IPv6 address.
      expect(addresses.toSorted()).toEqual([`${address}/24`, expect.stringMatching(/^2001:db8:6772:[0-9a-f:]+\/64$/)]);
      expect(await vm.shell.ok("ip route show default")).toMatch(/^default via 10\.0\.2\.2 /);
      expect(await vm.shell.ok("ip -6 route show default")).toMatch(/^default .*via fe80::/m);
      expect(await vm.shell.ok("resolvectl dns; resolvectl domain")).toMatch(
        new RegExp(`Link \\d+ \\(\\w+\\): ${RegExp.escape(nameServer)}\n[^]*Link \\d+ \\(\\w+\\): ${RegExp.escape(domain)}\n`),
      );
    }));
});
