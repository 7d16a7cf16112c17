import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { profiles } from "../../../../src/profiles/profiles.ts";
import { boundaryData } from "../../../../src/units/injection/boundary-data.ts";
import { configInjection } from "../../../../src/units/injection/config-injection.ts";
import { emptyTars } from "../../../support/bad-media.ts";
import { atEveryEffect } from "../../../support/interrupting-host.ts";
import { type NamespaceMachine, namespaceMachine } from "../../../support/namespace-machine.ts";
import { problemOf } from "../../../support/problem-of.ts";
import { type RawEntry, rawTar } from "../../../support/raw-tar.ts";
import { runUnit } from "../../../support/run-unit.ts";

const MEDIUM: readonly RawEntry[] = [
  { name: "./network.conf", content: "hostname=bn1\n" },
  { name: "./bn_vars.conf", content: "system_domains=ic0.app\n" },
  { name: "./accounts_ssh_authorized_keys/admin", content: "# a\n" },
  { name: "./certs/fullchain.pem", content: "chain" },
  { name: "./certs/privkey.pem", content: "key" },
  { name: "./geolite2_dbs/GeoLite2-Country.mmdb", content: Buffer.alloc(200_000, 1) },
  { name: "./ic_registry_local_store/00/01.pb", content: "registry" },
  { name: "./ic_crypto/secret", content: "not a boundary node's" },
];

/** Content and mode by path on the config partition. */
const STORED: readonly (readonly [path: string, content: string | Buffer, mode: number])[] = [
  ["network.conf", "hostname=bn1\n", 0o644],
  ["bn_vars.conf", "system_domains=ic0.app\n", 0o600],
  ["accounts_ssh_authorized_keys/admin", "# a\n", 0o644],
  ["certs/fullchain.pem", "chain", 0o600],
  ["certs/privkey.pem", "key", 0o600],
  ["geolite2_dbs/GeoLite2-Country.mmdb", Buffer.alloc(200_000, 1), 0o644],
  ["ic_registry_local_store/00/01.pb", "registry", 0o644],
  ["CONFIGURED", "", 0o644],
];

/** A boundary node on its first boot, with nothing mounted but the config partition. The host's block devices are not its own. */
function node(medium: readonly RawEntry[] | Buffer): NamespaceMachine {
  const machine = namespaceMachine({ "/etc/passwd": "root:x:0:0::/root:/bin/bash\n", "/etc/group": "" });
  for (const folder of ["/boot/config", "/mnt"]) mkdirSync(machine.at(folder), { recursive: true });
  writeFileSync(machine.layout.medium.directTar, Buffer.isBuffer(medium) ? medium : rawTar(medium));
  return machine.over({ ...machine.host, list: async (path) => (path === "/sys/class/block" ? [] : machine.host.list(path)) });
}

async function boot(machine: NamespaceMachine): Promise<readonly string[]> {
  const node = { ...machine, medium: profiles.boundary.medium };
  return [...(await runUnit(configInjection, node)), ...(await runUnit(boundaryData, node))];
}

function expectStored(machine: NamespaceMachine): void {
  for (const [path, content, mode] of STORED) {
    const at = machine.at(`/boot/config/${path}`);
    expect(readFileSync(at).equals(Buffer.from(content)), path).toBe(true);
    expect((statSync(at).mode & 0o777).toString(8), path).toBe(mode.toString(8));
  }
  expect((statSync(machine.at("/boot/config/certs")).mode & 0o777).toString(8)).toBe("700");
  for (const absent of ["/boot/config/.injection", "/boot/config/ic_crypto", "/var/lib/ic"])
    expect(statSync(machine.at(absent), { throwIfNoEntry: false }), absent).toBeUndefined();
}

test("all of a boundary node's medium is stored on the config partition, keys for root alone; once", async () => {
  const machine = node(MEDIUM);
  await boot(machine);
  expectStored(machine);
  expect(machine.notes).toEqual([expect.stringContaining('"ic_crypto/secret" is not part of the configuration')]);
  expect(await boot(machine)).toEqual([]);
});

test("a power cut before any effect ends, after the next boot, with exactly the medium's content", async () => {
  const cuts = await atEveryEffect(
    async () => node(MEDIUM),
    async (machine, interrupt) => boot(machine.over(interrupt(machine.host))),
    async (machine, n) => {
      await boot(machine);
      expectStored(machine);
      expect(await boot(machine), `nothing is left to do after the cut at effect ${n}`).toEqual([]);
    },
  );
  expect(cuts).toBeGreaterThan(20);
});

test("certificates that are there already, and that no medium brought, are not replaced", async () => {
  const machine = node(MEDIUM);
  mkdirSync(machine.at("/boot/config/certs"));
  writeFileSync(machine.at("/boot/config/certs/privkey.pem"), "the node's own");
  expect(await problemOf(async () => boot(machine))).toMatchObject({
    what: expect.stringMatching(/\/boot\/config\/certs already exists/),
  });
  expect(readFileSync(machine.at("/boot/config/certs/privkey.pem"), "utf8")).toBe("the node's own");
});

test.each([...emptyTars])("a tar with %s configures nothing, and the right medium is taken in at the next boot", async (_, tar) => {
  const machine = node(tar);
  expect(await problemOf(async () => boot(machine))).toMatchObject({ what: "there is no configuration in the tar" });
  expect(readdirSync(machine.at("/boot/config"))).toEqual([]);
  writeFileSync(machine.layout.medium.directTar, rawTar(MEDIUM));
  await boot(machine);
  expectStored(machine);
});
