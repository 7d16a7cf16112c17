import { expect, test } from "vitest";
import { isConflict } from "../../../../src/boot/unit.ts";
import type { Host } from "../../../../src/system/host.ts";
import { networkApplied } from "../../../../src/units/network/network.ts";
import { nftables, nftablesNames } from "../../../../src/units/network/nftables.ts";
import { fakeHost } from "../../../support/fake-host.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { testMachine } from "../../../support/test-machine.ts";

const [INJECTED, IMAGE] = ["/boot/config/nftables.conf", "/etc/nftables.conf"] as const;
const RULES = "table inet filter {\n  chain input {\n    type filter hook input priority 0; policy drop;\n  }\n}\n";
const LIST = '{"nftables": [{"metainfo": {"version": "1.1.3"}}, {"table": {"family": "inet", "name": "filter", "handle": 1}}]}';
const CHECK = "nft -c -f -";
const LOAD = "nft -e -a -f -";
const SHOW = "nft -j list ruleset";
const NFT = { [CHECK]: "", [LOAD]: "add table inet filter # handle 1\n", [SHOW]: LIST };

test("a ruleset that was never loaded in this boot is loaded and confirmed, by two runs of nft", async () => {
  const host = fakeHost({ files: { [IMAGE]: RULES }, commands: NFT });
  await runUnit(nftables, testMachine(host));
  expect(host.effects.filter((effect) => effect.startsWith("run"))).toEqual([LOAD, SHOW].map((line) => `run ${line}`));
});

test("a ruleset that takes the place of another one is checked before", async () => {
  const host = fakeHost({ files: { [IMAGE]: RULES }, commands: NFT });
  await runUnit(nftables, testMachine(host));
  host.effects.length = 0;
  host.files.set(IMAGE, `${RULES}# and more\n`);
  await runUnit(nftables, testMachine(host));
  expect(host.effects.filter((effect) => effect.startsWith("run"))).toEqual([CHECK, LOAD, SHOW].map((line) => `run ${line}`));
});

test("a ruleset that is loaded costs one inspect the kernel", async () => {
  const host = fakeHost({ files: { [IMAGE]: RULES }, commands: NFT });
  await runUnit(nftables, testMachine(host));
  host.effects.length = 0;
  expect(await runUnit(nftables, testMachine(host))).toEqual([]);
  expect(host.effects).toEqual([`run ${SHOW}`]);
});

test("no file is a conflict, and no tool is run", async () => {
  const host = fakeHost();
  expect(isConflict(await nftables.plan(testMachine(host)))).toBe(true);
  expect(host.effects).toEqual([]);
});

test("the image's own ruleset may include files, and what an injected one names is not even read", async () => {
  const included = `${RULES}include "/etc/nftables.d/*.nft"\n`;
  const more = { "/etc/nftables.d/a.nft": "table inet a {}\n" };
  expect(isConflict(await nftables.plan(testMachine(fakeHost({ files: { [IMAGE]: included, ...more }, commands: NFT }))))).toBe(false);
  const host = fakeHost({ files: { [INJECTED]: included, ...more }, commands: NFT });
  const read: string[] = [];
  const readText: Host["readText"] = async (path) => (read.push(path), host.readText(path));
  await nftables.plan(testMachine({ ...host, readText }));
  expect(read).toContain(INJECTED);
  expect(read).not.toContain("/etc/nftables.d/a.nft");
});

test("a broken file is tried once, and from then on only inspected", async () => {
  const stderr = "/dev/stdin:2:3-7: Error: syntax error, unexpected string\n  chain input {\n";
  const refused = { status: 1, stderr };
  const host = fakeHost({ files: { [IMAGE]: RULES }, commands: { [CHECK]: refused, [LOAD]: refused, [SHOW]: LIST } });
  const problem = { where: { file: IMAGE, line: 2, column: 3 } };
  await expect(runUnit(nftables, testMachine(host))).rejects.toMatchObject({ problem });
  expect(host.effects.filter((effect) => effect.startsWith("run"))).toEqual([`run ${LOAD}`]);
  host.effects.length = 0;
  for (const attempt of [async () => nftables.plan(testMachine(host)), async () => runUnit(nftables, testMachine(host))])
    await expect(attempt()).rejects.toMatchObject({ problem });
  expect(host.effects).not.toContain(`run ${LOAD}`);
});

test("a tool that fails for a reason of its own is told in its own words, and nothing is noted as loaded", async () => {
  const failed = { status: 1, stderr: "netlink: Error: cache initialization failed: Operation not permitted\n" };
  const host = fakeHost({ files: { [IMAGE]: RULES }, commands: { ...NFT, [LOAD]: failed } });
  await expect(runUnit(nftables, testMachine(host))).rejects.toThrow("cache initialization failed");
  expect([...host.files.keys()]).toEqual([IMAGE]);
});

const HOST_ABSENT = "/dev/stdin:3:5-9: Error: Could not resolve hostname: Temporary failure in name resolution\n";
const BUS = { "/run/systemd/units/invocation:dbus.service": "0123" };

test("before the bus, a ruleset that names what is not there yet is tried once, and left to the unit that comes after it", async () => {
  const host = fakeHost({ files: { [IMAGE]: RULES }, commands: { ...NFT, [LOAD]: { status: 1, stderr: HOST_ABSENT } } });
  const machine = testMachine(host);
  await runUnit(nftables, machine);
  expect(machine.notes).toEqual([expect.stringContaining("names a host that does not resolve")]);
  expect(host.effects.filter((effect) => effect.startsWith("run"))).toEqual([`run ${LOAD}`]);
  const later = fakeHost({ files: Object.fromEntries(host.files), links: BUS, commands: NFT });
  await runUnit(nftablesNames, testMachine(later));
  expect(later.effects.filter((effect) => effect.startsWith("run"))).toEqual([LOAD, SHOW].map((line) => `run ${line}`));
  later.effects.length = 0;
  expect(await runUnit(nftables, testMachine(later))).toEqual([]);
});

test("with a bus a name that stays absent is an error, each time it is tried", async () => {
  const host = fakeHost({ files: { [IMAGE]: RULES }, links: BUS, commands: { ...NFT, [LOAD]: { status: 1, stderr: HOST_ABSENT } } });
  for (const unit of [nftables, nftables, nftablesNames, nftablesNames])
    await expect(runUnit(unit, testMachine(host))).rejects.toMatchObject({ retryable: true, problem: { where: { file: IMAGE } } });
});

test("a name that never comes holds up a boot for a few seconds; the time for them begins with the network", () => {
  expect(nftablesNames.retryFor).toBeLessThanOrEqual(10_000);
  expect(nftablesNames.after).toContain(networkApplied);
});

test("a mistake in the file is reported at once, and left to no other unit", async () => {
  const stderr = "/dev/stdin:2:3-7: Error: syntax error, unexpected string\n";
  const host = fakeHost({ files: { [IMAGE]: RULES }, commands: { ...NFT, [LOAD]: { status: 1, stderr } } });
  await expect(runUnit(nftables, testMachine(host))).rejects.toMatchObject({ problem: { where: { file: IMAGE } } });
  host.effects.length = 0;
  expect(await nftablesNames.plan(testMachine(host))).toEqual([]);
  expect(host.effects).toEqual([]);
});

test("where nothing was left, the unit for names runs no tool", async () => {
  const host = fakeHost({ files: { [IMAGE]: RULES }, commands: NFT });
  await runUnit(nftables, testMachine(host));
  host.effects.length = 0;
  expect(await nftablesNames.plan(testMachine(host))).toEqual([]);
  expect(host.effects).toEqual([]);
});
