import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "../../../../src/base/clock.ts";
import type { RecordEvent, UnitResult } from "../../../../src/boot/record/record.ts";
import { runUnits } from "../../../../src/boot/runner.ts";
import { guestosLayout, type Layout } from "../../../../src/config/layout/layout.ts";
import { CommandError } from "../../../../src/system/command.ts";
import type { Host, ToolObserver } from "../../../../src/system/host.ts";
import { nftables } from "../../../../src/units/network/nftables.ts";
import { watchRuleset } from "../../../../src/units/network/watch-ruleset.ts";
import { type NetworkNamespace, namespaceWithBus } from "../../../support/network-namespace.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { testMachine } from "../../../support/test-machine.ts";
import { canary, ran, shown } from "../../../support/canaries.ts";

/** A ruleset on the config partition, which came from outside, and what it can have nft do: load it, and nothing else. */

const CONFIG = "/run/config";
const INJECTED = `${CONFIG}/nftables.conf`;
const SECRET = `${CONFIG}/store.keyfile`;
const CANARY = canary("the node's key", "canary-secretofthisnode");
const BEFORE = "table inet default {\n\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\n";
const chain = (rules: string): string =>
  `table inet filter {\n  chain input {\n    type filter hook input priority 0; policy drop;\n    ${rules}\n  }\n}\n`;

const layout: Layout = { ...guestosLayout, mountPoints: { ...guestosLayout.mountPoints, config: CONFIG }, rulesets: [INJECTED] };
const facts = { bootId: "b", version: "1", slot: "A", pid: 1, stage: "late" } as const;

let inside: NetworkNamespace;

beforeAll(async () => {
  inside = await namespaceWithBus();
});
afterAll(async () => inside.stop());

beforeEach(async () => {
  for (const folder of [CONFIG, "/run/guestos-boot"]) await inside.host.remove(folder);
  await inside.host.makeFolder(CONFIG, { mode: 0o755 });
  await inside.host.run({ program: "nft", args: ["-f", "-"], input: `flush ruleset\n${BEFORE}` });
});

async function put(file: string, content: string): Promise<void> {
  await inside.host.writeFile(file, content, { mode: 0o644 });
}

/** A file of the node that everyone may read, so that no account that nft runs as keeps it from it: the test does that, and not the program. */
async function putSecret(content: string): Promise<void> {
  await inside.host.writeFile(SECRET, content, { mode: 0o600 });
  await inside.run("chmod", "644", SECRET);
}

async function inForce(): Promise<string> {
  return inside.run("nft", "list", "ruleset");
}

/** The host, with its tools told as the real one tells them. @param prefix what tools are started by */
function told(onTool: ToolObserver, prefix: readonly string[] = []): Host {
  const run: Host["run"] = async (command) => {
    const ended = onTool(command);
    const [program = "", ...args] = [...prefix, command.program, ...command.args];
    try {
      const completed = await inside.host.run({ ...command, program, args });
      ended({ kind: "exited", status: completed.status }, completed.stderr);
      return completed;
    } catch (error) {
      if (error instanceof CommandError) ended(error.ending, error.stderr);
      throw error;
    }
  };
  return { ...inside.host, run };
}

/** A run of the unit, with all that is recorded of it: in `events` as it comes. */
async function recorded(
  prefix?: readonly string[],
  events: RecordEvent[] = [],
  retryFor = 5_000,
): Promise<{ readonly result: UnitResult | undefined; readonly events: readonly RecordEvent[] }> {
  const { results } = await runUnits([{ ...nftables, requires: [], after: [], retryFor }], {
    machine: (scope) => testMachine(told(scope.onTool, prefix), layout),
    facts,
    sink: (event) => events.push(event),
    signal: new AbortController().signal,
    clock: systemClock,
  });
  return { result: results.get("nftables"), events };
}

const include = `include "${SECRET}"`;

test.each([
  ["a plain include", `${chain("")}${include}\n`],
  ["a # in quotes before it", chain(`log prefix "#" ${include}`)],
  ["a # in quotes, and a semicolon", chain(`log prefix "#"; ${include}`)],
  ["a # in a set's comment", `${chain("")}table inet x { set s { type ipv4_addr; comment "#"; ${include}\n } }\n`],
  ["single quotes", `${chain("")}include '${SECRET}'\n`],
  ["a line that goes on", `${chain("")}include \\\n  "${SECRET}"\n`],
  ["a comment whose line goes on", `${chain("")}# \\\n${include}\n`],
  ["a text over two lines", chain(`log prefix "a\n#" ${include}`)],
  ["a tab before the name", `${chain("")}include\t"${SECRET}"\n`],
  ["nothing before the name", `${chain("")}include"${SECRET}"\n`],
  ["a name that is defined", `define F = "${SECRET}"\n${chain("")}include $F\n`],
  ["a name of which a part is defined", `define F = "store.keyfile"\n${chain("")}include "${CONFIG}/$F"\n`],
  ["the value of a name", `${chain("")}define F = { ${include} }\n`],
  ...["*", "store.*", "[s]tore.keyfile", "store.keyfil?"].map((name) => [
    `the pattern ${name}`,
    `${chain("")}include "${CONFIG}/${name}"\n`,
  ]),
  ["a pattern in a folder", `${chain("")}include "/run/*/store.keyfile"\n`],
  ["another file that includes it", `${chain("")}include "${CONFIG}/nested.nft"\n`],
  ["the folder", `${chain("")}include "${CONFIG}"\n`],
  ...["store.keyfile", "./store.keyfile", `..${SECRET}`, `../../../..${SECRET}`, `/etc/..${SECRET}`].map((name) => [
    `the name ${name}`,
    `${chain("")}include "${name}"\n`,
  ]),
  ...[
    `/proc/self/root${SECRET}`,
    `/proc/1/root${SECRET}`,
    "/proc/self/fd/0",
    "/proc/self/environ",
    "/dev/stdin",
    "/dev/fd/0",
    "/dev/zero",
  ].map((name) => [`the name ${name}`, `${chain("")}include "${name}"\n`]),
  ["itself", `${chain("")}include "/ruleset.nft"\n`],
  ["a file of names that is there", `${chain("")}include "/etc/passwd"\n`],
  ["in a set", `${chain("")}table inet x { set s { type ipv4_addr; elements = { ${include} } } }\n`],
  ["in a map", chain(`tcp dport vmap { ${include} }`)],
  ["in a list of ports", chain(`tcp dport { 22, ${include}\n }`)],
  ["JSON", `{"nftables": [{"include": "${SECRET}"}, "type filter hook input"]}\n`],
  ["after a first line that is nft's", `#!/usr/sbin/nft -f ${SECRET}\n${chain("")}${include}\n`],
])("%s does not lead nft to a file of the node", async (_, content) => {
  // Nothing that nft takes for rules, and then something that it does.
  for (const secret of [`${CANARY} {\n`, `add table inet ${CANARY.replace("-", "_")}\n`]) {
    await putSecret(secret);
    await put(`${CONFIG}/nested.nft`, `${include}\n`);
    await put(INJECTED, content);
    const { result, events } = await recorded();
    const kept = await Promise.all(["nftables.json", "ruleset.nft"].map((name) => inside.host.readText(`/run/guestos-boot/${name}`)));
    const all = JSON.stringify([result, events, kept, await inForce()]);
    shown("the result, the record or the rules", all);
    ran();
    expect(all).not.toMatch(/canary.secret|root:x:0/);
    // Refused, with the rules that were in force, or loaded without it.
    if (result?.kind === "degraded") expect(await inForce()).toBe(BEFORE);
    else expect(await inForce()).toContain("table inet filter");
  }
});

test("the include that nft stumbles over is told with its place", async () => {
  await putSecret(CANARY);
  await put(INJECTED, chain(`log prefix "#" ${include}`));
  await expect(runUnit(nftables, testMachine(inside.host, layout))).rejects.toMatchObject({
    problem: {
      where: { file: INJECTED, line: 4, column: expect.any(Number) },
      expected: expect.stringContaining("in this file"),
      todo: "correct it, then: guestos-boot --unit nftables",
    },
  });
});

const NAMES = "ip saddr localhost tcp dport ssh meta skuid root accept\n    iif lo accept\n    meta l4proto icmp accept";

test("all that is named and not a file is known, and a second run changes nothing", async () => {
  await put(INJECTED, chain(NAMES));
  expect((await recorded()).result).toMatchObject({ kind: "unchanged", activated: [expect.stringContaining(INJECTED)] });
  expect(await inForce()).toContain("ip saddr 127.0.0.1 tcp dport 22 meta skuid 0 accept");
  const { result, events } = await recorded();
  expect(result).toEqual({ kind: "unchanged", activated: [] });
  // No more than the question to the kernel.
  expect(events.flatMap((event) => (event.event === "started" && event.what.kind === "tool" ? [event.what.argv[0]] : []))).toEqual(["nft"]);
});

test("where it is broken and the rules are taken away, those that were loaded last come back from it, confined too", async () => {
  await put(INJECTED, chain(NAMES));
  await recorded();
  const before = await inForce();
  await putSecret(CANARY);
  await put(INJECTED, chain(`bogus ${include}`));
  await inside.run("nft", "flush", "ruleset");
  const { result, events } = await recorded();
  expect(result).toMatchObject({ kind: "degraded" });
  expect(await inForce()).toBe(before);
  expect(events.filter((event) => event.event === "started" && event.what.kind === "tool" && event.what.argv.includes("-f"))).toEqual(
    events.filter((event) => event.event === "started" && event.what.kind === "tool" && event.what.argv[0] === "bwrap"),
  );
});

const ETC = join(import.meta.dirname, "../../../../etc/common/systemd/system");

/** As the service starts tools: with its capabilities, and no way to others (systemd.exec(5)). */
function capabilitiesOf(service: string): readonly string[] {
  const names = [...readFileSync(join(ETC, service), "utf8").matchAll(/^CapabilityBoundingSet=(.+)$/gm)].flatMap(([, list = ""]) =>
    list.split(" ").map((name) => `+${name.replace("CAP_", "").toLowerCase()}`),
  );
  return ["setpriv", "--no-new-privs", `--bounding-set=-all,${names.join(",")}`];
}

test.each(["guestos-boot.service", "guestos-monitor.service"])("the capabilities of %s are enough", async (service) => {
  await put(INJECTED, chain(NAMES));
  expect((await recorded(capabilitiesOf(service))).result).toMatchObject({ kind: "unchanged" });
  expect(await inForce()).toContain("meta skuid 0 accept");
});

test("where nft cannot be confined, it is not run, and that is said", async () => {
  await put(INJECTED, chain(NAMES));
  const { result } = await recorded(["setpriv", "--no-new-privs", "--bounding-set=-all,+net_admin"]);
  expect(result).toMatchObject({
    kind: "degraded",
    problem: {
      what: expect.stringContaining("the rules in force stay"),
      found: expect.stringContaining("bwrap: "),
      expected: expect.stringContaining("bubblewrap"),
    },
  });
  expect(await inForce()).toBe(BEFORE);
});

test("what an injected ruleset names is neither read nor watched", async () => {
  await put(INJECTED, `${chain("")}include "/dev/zero"\ninclude "/run/config/pipe"\n`);
  await inside.run("mkfifo", "/run/config/pipe");
  const ended = new AbortController();
  const events = watchRuleset({ host: inside.host, layout }, ended.signal)[Symbol.asyncIterator]();
  expect((await events.next()).done).toBe(false);
  ended.abort();
  expect((await recorded()).result).toMatchObject({ kind: "degraded" });
});

const linkComesUp = async (): Promise<void> =>
  void (await inside.run("ip", "link", "add", "later0", "type", "veth", "peer", "name", "peer0"));

test.each([
  ["an interface", chain('iif "later0" accept'), "an interface that does not exist", linkComesUp],
  [
    "a host",
    chain("ip saddr later.example accept"),
    "a host that does not resolve",
    async () => {
      await put("/run/hosts", "192.0.2.7 later.example\n");
      await inside.run("mount", "--bind", "/run/hosts", "/etc/hosts");
    },
  ],
])("%s that comes up later is waited for, and the rules in force stay until then", async (_, content, what, comesUp) => {
  await inside.host.run({ program: "ip", args: ["link", "delete", "later0"], okStatuses: [0, 1] });
  await put(INJECTED, content);
  const events: RecordEvent[] = [];
  const findRetry = () => events.find((event) => event.event === "started" && event.what.kind === "retry");
  const run = recorded(undefined, events, 60_000);
  await vi.waitUntil(findRetry, { timeout: 30_000 });
  expect(await inForce()).toBe(BEFORE);
  await comesUp();
  const { result } = await run;
  expect(result).toMatchObject({ kind: "unchanged", activated: [expect.stringContaining(INJECTED)] });
  expect(await inForce()).toContain("table inet filter");
  expect(findRetry()).toMatchObject({ what: { problem: { what: expect.stringContaining(what), where: { file: INJECTED, line: 4 } } } });
});
