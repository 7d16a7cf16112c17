import { chownSync, lstatSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { upgradeDataStore } from "../../../../src/units/slots/upgrade-data-store.ts";
import { type NamespaceMachine, namespaceMachine } from "../../../support/namespace-machine.ts";
import { surviveEveryCut } from "../../../support/power-cuts.ts";
import { runUnit } from "../../../support/run-unit.ts";

const DATA = "/var/lib/ic/data";

function prepare(): NamespaceMachine {
  const machine = namespaceMachine({
    "/etc/passwd": "root:x:0:0::/root:/bin/sh\nic-replica:x:990:991::/:/usr/sbin/nologin\n",
    "/etc/group": "root:x:0:\n",
    [`${DATA}/nns_public_key.pem`]: "pem",
    [`${DATA}/ic_registry_local_store/00/01.proto`]: "registry",
    "/outside": "root's",
  });
  symlinkSync(machine.at("/outside"), machine.at(`${DATA}/link`));
  return machine;
}

function expectWhole({ at }: NamespaceMachine): void {
  const data = at(DATA);
  const all = [data, ...readdirSync(data, { recursive: true, encoding: "utf8" }).map((name) => join(data, name))];
  const owned = all.filter((path) => !path.endsWith(".layout-version"));
  expect(owned).toHaveLength(6);
  for (const path of owned) expect(lstatSync(path), path).toMatchObject({ uid: 990, gid: 991 });
  expect(lstatSync(at("/outside"))).toMatchObject({ uid: 0, gid: 0 });
  expect(readFileSync(at(`${DATA}/.layout-version`), "utf8")).toBe("1\n");
}

test("the store and all in it is given to ic-replica once, and no link is followed", async () => {
  const machine = prepare();
  await runUnit(upgradeDataStore, machine);
  expectWhole(machine);
  expect(machine.tools.map(({ program }) => program)).toEqual(["find", "sync"]);
  expect(await runUnit(upgradeDataStore, machine)).toEqual([]);
  expect(machine.tools).toHaveLength(2);
});

test("a store that an image with other numbers left is given again", async () => {
  const machine = prepare();
  await runUnit(upgradeDataStore, machine);
  chownSync(machine.at(DATA), 500, 500);
  expect(await runUnit(upgradeDataStore, machine)).toEqual(["give the data store to ic-replica again"]);
  expectWhole(machine);
});

test("a power cut at any effect is survived, with and without a reboot", async () => {
  expect(await surviveEveryCut(upgradeDataStore, prepare, expectWhole)).toBe(4);
});
