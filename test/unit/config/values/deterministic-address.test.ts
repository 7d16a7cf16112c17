import { expect, test } from "vitest";
import {
  addressInPrefix,
  deterministicMac,
  type Environment,
  SYSTEM_INDEX,
  isPrefix,
} from "../../../../src/config/values/deterministic-address.ts";

// Published examples: dfinity/ic, ic-os/docs/Network-Configuration.adoc, and the golden files of guest_vm_runner.
const macs: readonly (readonly [mac: string, environment: Environment, index: number, expected: string])[] = [
  ["3c:ec:ef:6b:37:99", "mainnet", SYSTEM_INDEX.default, "6a:01:f4:09:d7:2a"],
  ["b0:7b:25:c8:f6:c0", "mainnet", SYSTEM_INDEX.default, "6a:01:00:ec:bd:51"],
  ["70:b5:e8:e8:25:de", "testnet", SYSTEM_INDEX.host, "6a:00:f8:87:a4:8a"],
  ["00:11:22:33:44:55", "testnet", SYSTEM_INDEX.default, "6a:01:ae:1a:09:bb"],
];

test.each(macs)("the MAC address of %s in %s, number %i, is %s", (mac, environment, index, expected) => {
  expect(deterministicMac(mac, environment, index)).toBe(expected);
});

test.each([
  ["2602:ffe4:801:17", "6a:01:00:ec:bd:51", "2602:ffe4:801:17:6801:ff:feec:bd51"],
  ["2a04:9dc0:0:108", "6a:01:e5:96:2d:49", "2a04:9dc0:0:108:6801:e5ff:fe96:2d49"],
  ["2602:ffe4:801:17::", "6a:01:00:ec:bd:51", "2602:ffe4:801:17:6801:ff:feec:bd51"],
  ["2001:db8::", deterministicMac("00:00:00:00:00:00", "testnet", SYSTEM_INDEX.default), "2001:db8::6801:94ff:feef:2978"],
  ["2001:db8", deterministicMac("00:00:00:00:00:00", "testnet", SYSTEM_INDEX.upgrade), "2001:db8::6802:94ff:feef:2978"],
  ["2001:db8::1:2:3:4", "6a:01:00:ec:bd:51", "2001:db8::6801:ff:feec:bd51"],
])("in %s, the machine %s has the address %s", (prefix, mac, expected) => {
  expect(addressInPrefix(prefix, mac)).toBe(expected);
});

test.each(["2602:ffe4:801:17:", "fe80::1%eth0", "::192.0.2.1", "2602:ffe4:801:17:1:2:3:4", "x", "1::2::3"])("%s is no prefix", (prefix) => {
  expect(isPrefix(prefix)).toBe(false);
});
