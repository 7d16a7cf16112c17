import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { guestosLayout, type Layout } from "../../../../src/config/layout/layout.ts";
import { isConflict } from "../../../../src/boot/unit.ts";
import type { Host } from "../../../../src/system/host.ts";
import { nftables } from "../../../../src/units/network/nftables.ts";
import { type NetworkNamespace, namespaceWithBus } from "../../../support/network-namespace.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { testMachine, type TestMachine } from "../../../support/test-machine.ts";

const RULES = `#!/usr/sbin/nft -f
table inet filter {
  set seen { type ipv6_addr; flags dynamic; size 1024; }
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related counter accept
    tcp dport { 22, 9100 } accept
    meta l4proto ipv6-icmp accept
    update @seen { ip6 saddr }
  }
}
`;
const DEFAULT = "table inet default {\n chain input {\n type filter hook input priority 0; policy drop;\n }\n}\n";
const ORCHESTRATOR = "/run/orchestrator/nftables.conf";
const INJECTED = "/run/config/nftables.conf";
const IMAGE = "/run/image/nftables.conf";

let inside: NetworkNamespace;
let machine: TestMachine;

beforeAll(async () => {
  inside = await namespaceWithBus();
});
afterAll(async () => inside.stop());

beforeEach(async () => {
  for (const folder of ["/run/orchestrator", "/run/config", "/run/image", "/run/guestos-boot"]) await inside.host.remove(folder);
  for (const folder of ["/run/orchestrator", "/run/config", "/run/image"]) await inside.host.makeFolder(folder, { mode: 0o755 });
  const layout: Layout = {
    ...guestosLayout,
    mountPoints: { ...guestosLayout.mountPoints, config: "/run/config" },
    rulesets: [ORCHESTRATOR, INJECTED, IMAGE],
  };
  machine = testMachine(inside.host, layout);
  await inside.run("nft", "flush", "ruleset");
  // As nftables.service has left it before we come.
  await inside.host.run({ program: "nft", args: ["-f", "-"], input: DEFAULT });
});

async function put(file: string, content: string): Promise<void> {
  await inside.host.writeFile(file, content, { mode: 0o644 });
}

async function inForce(): Promise<string> {
  return inside.run("nft", "list", "ruleset");
}

test("what is in force is the file, all of it and nothing else, and a second run has nothing to do", async () => {
  await put(IMAGE, RULES);
  expect(await runUnit(nftables, machine)).toEqual([`load ${IMAGE} into the kernel's packet filter`]);
  const rules = await inForce();
  expect(rules).toContain("tcp dport { 22, 9100 } accept");
  expect(rules).not.toContain("table inet default");
  expect(rules.match(/ipv6-icmp accept/g)).toHaveLength(1);
  expect(await runUnit(nftables, machine)).toEqual([]);
});

test("a file that does not flush is not loaded twice over itself", async () => {
  await put(IMAGE, RULES);
  await runUnit(nftables, machine);
  await inside.host.remove("/run/guestos-boot/nftables.json");
  expect(await runUnit(nftables, machine)).toHaveLength(1);
  expect((await inForce()).match(/ipv6-icmp accept/g)).toHaveLength(1);
});

test("counting and learning do not make the rules others", async () => {
  await put(IMAGE, RULES);
  await runUnit(nftables, machine);
  await inside.run("nft", "add", "element", "inet", "filter", "seen", "{ 2001:db8::7 }");
  expect(await runUnit(nftables, machine)).toEqual([]);
});

test("a rule that was removed by hand, and one that was added, are noticed", async () => {
  await put(IMAGE, RULES);
  await runUnit(nftables, machine);
  await inside.run("nft", "flush", "chain", "inet", "filter", "input");
  expect(await runUnit(nftables, machine)).toHaveLength(1);
  await inside.run("nft", "add", "rule", "inet", "filter", "input", "tcp", "dport", "23", "accept");
  expect(await runUnit(nftables, machine)).toHaveLength(1);
  expect(await inForce()).not.toContain("dport 23 accept");
});

/** The machine on which someone else runs nft right after a ruleset has been loaded. @param other its arguments after the first load, the second and so on */
function interfered(other: (load: number) => readonly string[] | undefined): {
  readonly machine: TestMachine;
  readonly loads: () => number;
} {
  let loads = 0;
  const run: Host["run"] = async (command) => {
    const result = await inside.host.run(command);
    if (command.program !== "nft" || !command.args.includes("-e")) return result;
    loads += 1;
    const args = other(loads);
    if (args !== undefined) await inside.run("nft", ...args);
    return result;
  };
  return { machine: testMachine({ ...inside.host, run }, machine.layout), loads: () => loads };
}

const noInterference = (): undefined => undefined;
const ADDED = ["add", "rule", "inet", "filter", "input", "tcp", "dport", "23", "accept"];

test.each([
  ["added", ADDED],
  ["removed", ["flush", "chain", "inet", "filter", "input"]],
  ["taken away with all others", ["flush", "ruleset"]],
])("a rule that is %s as soon as the file is loaded does not count as the file's", async (_, args) => {
  await put(IMAGE, RULES);
  const { machine: disturbed, loads } = interfered((load) => (load === 1 ? args : undefined));
  expect(await runUnit(nftables, disturbed)).toHaveLength(1);
  expect(loads()).toBe(2);
  expect(await inForce()).not.toContain("dport 23");
  expect(await inForce()).toContain("tcp dport { 22, 9100 } accept");
  expect(await runUnit(nftables, disturbed)).toEqual([]);
});

test("who changes the rules each time that they are loaded is told of, and nothing is believed", async () => {
  await put(IMAGE, RULES);
  const { machine: disturbed, loads } = interfered((load) => ADDED.with(7, String(2300 + load)));
  await expect(runUnit(nftables, disturbed)).rejects.toMatchObject({
    problem: { what: "someone else changes the firewall's rules while they are loaded", found: expect.stringContaining(IMAGE) },
  });
  // The file is not to blame, and nothing counts as loaded.
  expect(await inside.host.readText("/run/guestos-boot/nftables.json")).toBeUndefined();
  expect(loads()).toBe(4);
  expect(await runUnit(nftables, machine)).toHaveLength(1);
  expect(await inForce()).not.toMatch(/dport 23\d\d/);
});

test.each([
  [
    "once where it only begins with it",
    `table inet filter
delete table inet filter
${RULES}`,
    1,
  ],
  [
    "twice where that cannot be told from someone else",
    `${RULES}add rule inet filter input tcp dport 1 accept
flush chain inet filter input
`,
    2,
  ],
])("a file that takes back what it has made is loaded, %s", async (_, content, times) => {
  await put(IMAGE, content);
  const { machine: watched, loads } = interfered(noInterference);
  expect(await runUnit(nftables, watched)).toHaveLength(1);
  expect(loads()).toBe(times);
  expect(await runUnit(nftables, watched)).toEqual([]);
});

test("all that a file may hold is known to be there after one load", async () => {
  const more = `
table ip nat {
  map ports { type inet_service : ipv4_addr; elements = { 80 : 192.0.2.1, 443 : 192.0.2.2 }; }
  chain out { type nat hook postrouting priority srcnat; policy accept; oifname "eth0" masquerade comment "with # handle 7 in it"; }
}
table inet more {
  counter hits { }
  set nets { type ipv4_addr; flags interval; auto-merge; elements = { 10.0.0.0/8, 10.1.0.0/16, 192.0.2.0/24 }; }
  chain helper { counter name hits; return; }
  chain forward { type filter hook forward priority 0; policy drop; ip saddr @nets jump helper; tcp dport vmap { 1 : accept, 2 : drop }; }
}
insert rule inet more forward ct state invalid drop
`;
  await put(IMAGE, `${RULES}${more}`);
  const { machine: watched, loads } = interfered(noInterference);
  expect(await runUnit(nftables, watched)).toHaveLength(1);
  expect(loads()).toBe(1);
  expect(await runUnit(nftables, watched)).toEqual([]);
});

test("the file is loaded again when it changes, and when one that comes before it appears: the injected one, and before that the orchestrator's", async () => {
  await put(IMAGE, RULES);
  await runUnit(nftables, machine);
  await put(IMAGE, RULES.replace("9100", "9443"));
  await runUnit(nftables, machine);
  expect(await inForce()).toContain("9443");
  for (const [file, port] of [
    [INJECTED, "8080"],
    [ORCHESTRATOR, "8443"],
  ] as const) {
    await put(file, RULES.replace("9100", port));
    expect(await runUnit(nftables, machine)).toEqual([`load ${file} into the kernel's packet filter`]);
    expect(await inForce()).toContain(port);
  }
});

test("a broken file is told with its place, from then on in a plan too, and leaves the rules in force", async () => {
  await put(IMAGE, RULES.replace("ipv6-icmp accept", "ipv6-icmp acept"));
  const before = await inForce();
  for (const attempt of [async () => runUnit(nftables, machine), async () => nftables.plan(machine)]) {
    await expect(attempt()).rejects.toMatchObject({
      problem: { what: expect.stringContaining("the ruleset is not valid"), where: { file: IMAGE, line: 8, column: 33 } },
    });
  }
  expect(await inForce()).toBe(before);
});

test("on the first line the place is right too", async () => {
  await put(IMAGE, "table inet x { chain input { type filter hook input priority 0; bogus; }; }\n");
  await expect(runUnit(nftables, machine)).rejects.toMatchObject({ problem: { where: { line: 1, column: 70 } } });
});

test("rules that only the kernel refuses are an error too, and leave the rules in force", async () => {
  await put(IMAGE, RULES.replace("meta l4proto ipv6-icmp accept", "jump nowhere"));
  const before = await inForce();
  await expect(runUnit(nftables, machine)).rejects.toMatchObject({ problem: { where: { file: IMAGE } } });
  expect(await inForce()).toBe(before);
});

test.each([
  ["empty", ""],
  ["cut short", RULES.slice(0, 60)],
  ["of comments", "# type filter hook input priority 0;\n"],
  ["that only flushes", "flush ruleset\n"],
])("a file %s is a conflict and does not open the node", async (_, content) => {
  await put(IMAGE, content);
  const before = await inForce();
  const plan = await nftables.plan(machine);
  expect(isConflict(plan) && plan.conflict.what).toContain("filters nothing that comes in");
  await expect(runUnit(nftables, machine)).rejects.toThrow("filters nothing");
  expect(await inForce()).toBe(before);
});

test("no ruleset at all is a conflict, and leaves the rules in force", async () => {
  const before = await inForce();
  await expect(runUnit(nftables, machine)).rejects.toThrow("there is no firewall ruleset");
  expect(await inForce()).toBe(before);
});

test("a damaged note of what was loaded only means loading again", async () => {
  await put(IMAGE, RULES);
  await runUnit(nftables, machine);
  for (const note of ["", "{", '{"file":7}']) {
    await put("/run/guestos-boot/nftables.json", note);
    expect(await runUnit(nftables, machine)).toHaveLength(1);
  }
});

test.each([
  ["broken", async () => put(IMAGE, RULES.replace("accept", "acept"))],
  ["gone", async () => inside.host.remove(IMAGE)],
])("when the file is %s and the rules are taken away, those that were loaded last come back", async (_, spoil) => {
  await put("/run/image/more", "tcp dport 2001 accept\n");
  await put(IMAGE, RULES.replace("policy drop;", 'policy drop;\n include "/run/image/more"'));
  await runUnit(nftables, machine);
  const before = await inForce();
  expect(before).toContain("dport 2001");
  await spoil();
  await inside.host.remove("/run/image/more");
  await expect(runUnit(nftables, machine)).rejects.toMatchObject({
    problem: { what: expect.stringMatching(/not valid|no firewall ruleset/) },
  });
  expect(await inForce()).toBe(before);
  await inside.run("nft", "flush", "ruleset");
  // They come back, and what is wrong with the file stays wrong.
  await expect(runUnit(nftables, machine)).rejects.toMatchObject({
    problem: { what: expect.stringMatching(/not valid|no firewall ruleset/) },
  });
  expect(await inForce()).toBe(before);
});
