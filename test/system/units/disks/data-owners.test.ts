import { chmodSync, chownSync, lstatSync, symlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { dataOwners } from "../../../../src/units/disks/data-owners.ts";
import { type NamespaceMachine, namespaceMachine } from "../../../support/namespace-machine.ts";
import { surviveEveryCut } from "../../../support/power-cuts.ts";
import { runUnit } from "../../../support/run-unit.ts";

const NUMBERS = {
  ...{ "ic-replica": 990, admin: 991, "ic-csp-vault": 992 },
  ...{ backup: 34, nonconfidential: 993, "ic-registry-local-store": 994, "ic-consensus-pool": 995 },
} as const;
const ACCOUNTS = ["ic-replica", "admin", "ic-csp-vault"] as const;
const STATE = "/var/lib/ic/data/ic_state";

function prepare(without: readonly string[] = []): NamespaceMachine {
  const there = (names: readonly (keyof typeof NUMBERS)[]): readonly (keyof typeof NUMBERS)[] =>
    names.filter((name) => !without.includes(name));
  const groups = there([...ACCOUNTS, "backup", "nonconfidential", "ic-registry-local-store", "ic-consensus-pool"]);
  const machine = namespaceMachine({
    "/etc/passwd": there(ACCOUNTS)
      .map((name) => `${name}:x:${NUMBERS[name]}:${NUMBERS[name]}::/:/bin/sh\n`)
      .join(""),
    "/etc/group": groups.map((name) => `${name}:x:${NUMBERS[name]}:\n`).join(""),
    [`${STATE}/checkpoints/1/state.bin`]: "state",
    [`${STATE}/tool`]: "a program",
    "/var/lib/ic/backup/one": "backup",
    "/var/lib/ic/crypto/node_sks/key.pb": "key",
    "/outside": "root's",
  });
  chmodSync(machine.at(`${STATE}/tool`), 0o777);
  symlinkSync(machine.at("/outside"), machine.at(`${STATE}/link`));
  return machine;
}

/** The table of IC-OS (components/guestos/setup-permissions). */
const PARTS: Readonly<Record<string, readonly [uid: keyof typeof NUMBERS, gid: keyof typeof NUMBERS]>> = {
  "/var/lib/ic/backup": ["ic-replica", "backup"],
  "/var/lib/ic/crypto": ["ic-csp-vault", "ic-csp-vault"],
  "/var/lib/ic/data/ic_consensus_pool": ["ic-replica", "ic-consensus-pool"],
  [STATE]: ["ic-replica", "nonconfidential"],
  [`${STATE}/page_deltas`]: ["ic-replica", "nonconfidential"],
  "/var/lib/ic/data/cups": ["ic-replica", "nonconfidential"],
  "/var/lib/ic/data/orchestrator": ["ic-replica", "nonconfidential"],
  "/var/lib/ic/data/ic_registry_local_store": ["ic-replica", "ic-registry-local-store"],
  "/var/lib/ic/data/recovery": ["admin", "nonconfidential"],
  "/var/lib/ic/data/ic_adapter/dogecoin_mainnet_cache": ["ic-replica", "nonconfidential"],
  "/var/lib/ic/data/ic_adapter/dogecoin_testnet_cache": ["ic-replica", "nonconfidential"],
};

function expectWhole({ at }: NamespaceMachine): void {
  for (const [path, [account, group]] of Object.entries(PARTS))
    expect(lstatSync(at(path)), path).toMatchObject({ mode: 0o42750, uid: NUMBERS[account], gid: NUMBERS[group] });
  const [uid, gid] = [NUMBERS["ic-replica"], NUMBERS.nonconfidential];
  expect(lstatSync(at(`${STATE}/checkpoints/1`))).toMatchObject({ mode: 0o42750, uid, gid });
  expect(lstatSync(at(`${STATE}/checkpoints/1/state.bin`))).toMatchObject({ mode: 0o100640, uid, gid });
  expect(lstatSync(at(`${STATE}/tool`))).toMatchObject({ mode: 0o100750, uid, gid });
  expect(lstatSync(at(`${STATE}/link`))).toMatchObject({ uid, gid });
  expect(lstatSync(at("/outside"))).toMatchObject({ mode: 0o100644, uid: 0, gid: 0 });
  expect(lstatSync(at("/var/lib/ic/crypto/node_sks/key.pb"))).toMatchObject({ mode: 0o100640, uid: 992, gid: 992 });
}

test("each part is made, and belongs to its account and its group, with all in it; no link is followed", async () => {
  const machine = prepare();
  expect(await runUnit(dataOwners, machine)).toHaveLength(Object.keys(PARTS).length);
  expectWhole(machine);
  const before = machine.tools.length;
  expect(await runUnit(dataOwners, machine)).toEqual([]);
  expect(machine.tools).toHaveLength(before);
});

test.each<readonly [string, (path: string) => void]>([
  ["other numbers", (path) => chownSync(path, 500, 500)],
  ["a mode that lets others in", (path) => chmodSync(path, 0o2755)],
  ["no set-group-ID", (path) => chmodSync(path, 0o750)],
])("a part that has %s is given again, and no other", async (_, spoil) => {
  const machine = prepare();
  await runUnit(dataOwners, machine);
  spoil(machine.at(STATE));
  expect(await runUnit(dataOwners, machine)).toEqual([expect.stringMatching(/^give \S*\/ic_state to ic-replica:nonconfidential$/)]);
  expectWhole(machine);
});

test("what an image has no account or group for is left as it is", async () => {
  const machine = prepare(["ic-csp-vault", "ic-consensus-pool"]);
  await runUnit(dataOwners, machine);
  expect(lstatSync(machine.at("/var/lib/ic/crypto"))).toMatchObject({ mode: 0o40755, uid: 0 });
  expect(() => lstatSync(machine.at("/var/lib/ic/data/ic_consensus_pool"))).toThrow(/ENOENT/);
  expect(lstatSync(machine.at(STATE))).toMatchObject({ uid: 990, gid: 993 });
});

test("a power cut at any effect is survived, with and without a reboot", async () => {
  expect(await surviveEveryCut(dataOwners, prepare, expectWhole)).toBeGreaterThan(10);
});
