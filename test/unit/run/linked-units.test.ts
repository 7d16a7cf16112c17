import fc from "fast-check";
import { expect, test } from "vitest";
import { graphProblems } from "../../../src/boot/graph.ts";
import type { DeclaredUnit } from "../../../src/run/declared-units.ts";
import { linkedUnits, type Shipped } from "../../../src/run/linked-units.ts";
import { guestos } from "../../support/chains.ts";

const shipped: Shipped = { chain: guestos.filter(({ name }) => name !== "journalbeat"), off: ["journalbeat"], taken: ["configuration"] };

function declared(name: string, facts: Partial<DeclaredUnit> = {}): DeclaredUnit {
  return {
    ...{
      name,
      title: name,
      executable: `/units/${name}`,
      stage: "late",
      requires: [],
      after: [],
      owns: [],
      timeout: 60,
      onFailure: "degrade",
    },
    at: (key) => ({ file: name, line: 1, column: key.length }),
    ...facts,
  };
}

test("an extra unit requires shipped ones and other extra ones, whatever their order", () => {
  const { units, problems } = linkedUnits(
    [declared("b", { requires: ["a", "nftables"] }), declared("a", { after: ["hostname", "journalbeat"], timeout: 5, onFailure: "stop" })],
    shipped,
  );
  expect(problems).toEqual([]);
  expect(units.map(({ name }) => name)).toEqual(["a", "b"]);
  expect(units[0]).toMatchObject({ timeout: 5_000, onFailure: "stop", retryFor: 0, repairs: false, after: [{ name: "hostname" }] });
  expect(units[1]?.requires).toEqual([
    guestos.find(({ name }) => name === "system-bus"),
    units[0],
    guestos.find(({ name }) => name === "nftables"),
  ]);
});

test.each<readonly [string, readonly DeclaredUnit[], readonly string[], string]>([
  ["a unit that there is not", [declared("a", { requires: ["netwrok"] })], ["a"], "there is no unit netwrok"],
  ["a unit that is off", [declared("a", { requires: ["journalbeat"] })], ["a"], "journalbeat is disabled"],
  ["itself", [declared("a", { requires: ["a"] })], ["a"], "it waits for a"],
  [
    "each other",
    [declared("a", { requires: ["b"] }), declared("b", { after: ["a"] }), declared("c", { requires: ["a"] })],
    ["a", "b", "c"],
    "it waits for b",
  ],
  [
    "one that is left out",
    [declared("a", { owns: ["/etc/hostname"], requires: ["x"] }), declared("b", { requires: ["a"] })],
    ["a", "b"],
    "no unit x",
  ],
  [
    "a late one, and is early",
    [declared("a", { stage: "early", requires: ["ipv6-monitor"] })],
    ["a"],
    "it runs early, and ipv6-monitor runs late",
  ],
  [
    "a late one, in order alone",
    [declared("a", { stage: "early", after: ["ipv6-monitor"] })],
    ["a"],
    "it runs early, and ipv6-monitor runs late",
  ],
])("one that requires %s is left out, and what requires it", (_, units, left, reason) => {
  const found = linkedUnits([...units, declared("good")], shipped);
  expect(found.units.map(({ name }) => name)).toEqual(["good"]);
  expect(found.problems.map(({ where }) => where?.file ?? "").toSorted()).toEqual(left);
  expect(found.problems[0]?.what).toContain(reason);
  expect(found.problems.every(({ todo }) => todo !== undefined)).toBe(true);
});

test("a name that is taken, and a path that another unit writes, are refused", () => {
  const [owned = ""] = guestos.flatMap(({ owns }) => owns);
  const { units, problems } = linkedUnits(
    [
      ...["network", "journalbeat", "configuration", "a", "a"].map((name) => declared(name)),
      declared("b", { owns: [owned] }),
      declared("c", { owns: ["/x"] }),
      declared("d", { owns: ["/x"] }),
    ],
    shipped,
  );
  expect(units.map(({ name }) => name)).toEqual(["a", "c"]);
  expect(problems.map(({ where }) => where?.file)).toEqual(["network", "journalbeat", "configuration", "a", "b", "d"]);
});

test.each([
  ["/boot/config/network.conf", "config-injection owns /boot/config/*.conf"],
  ["/boot/config/accounts_ssh_authorized_keys/admin", "config-injection owns /boot/config/accounts_ssh_authorized_keys"],
  ["/boot/config/ne*", "config-injection owns /boot/config/*.conf"],
  ["/etc", "owns /etc/"],
  ["/etc/ssh/moduli", "ssh-host-keys owns /etc/ssh"],
  ["/run/systemd/network/10-enp1s0.network", "network owns /run/systemd/network/10-*.network"],
  ["/var/lib/ic/backup", "volume-mounts owns mount:/var/lib/ic/backup"],
  ["/boot", "mount-boot owns mount:/boot"],
])("an extra unit that owns %s is left out, with the owner and its path named", (path, reason) => {
  const { units, problems } = linkedUnits([declared("a", { owns: [path] })], shipped);
  expect(units).toEqual([]);
  expect(problems).toMatchObject([{ where: { file: "a" }, what: expect.stringContaining(`it owns ${path}, and `) }]);
  expect(problems[0]?.what).toContain(reason);
});

test("beside what others own there is room: another file of a folder, below a mount point, another interface's file", () => {
  const owns = [
    "/boot/config/mine.json",
    "/boot/config/mine/x.conf",
    "/var/lib/mine",
    "/run/systemd/network/20-enp1s0.network",
    "/etc/sshd",
  ];
  expect(linkedUnits([declared("a", { owns })], shipped)).toMatchObject({ units: [{ name: "a" }], problems: [] });
});

test("whatever is declared, the chain with it is sound, and every unit is either in it or complained of", () => {
  const names = ["a", "b", "c", "d", "network", "nftables", "journalbeat", "nobody"];
  const some = fc.subarray(names, { maxLength: 2 });
  const arbitrary = fc.array(
    fc.record({
      name: fc.constantFrom(...names),
      requires: some,
      after: some,
      stage: fc.constantFrom("early" as const, "late" as const),
      owns: fc.subarray(["/x", "/x/*", "/y", "/*/z", "/boot/config/hostname.conf"], { maxLength: 1 }),
    }),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(arbitrary, (specs) => {
      const { units, problems } = linkedUnits(
        specs.map(({ name, ...facts }) => declared(name, facts)),
        shipped,
      );
      expect(graphProblems([...shipped.chain, ...units])).toEqual([]);
      expect(units.length + problems.length).toBe(specs.length);
    }),
  );
});
