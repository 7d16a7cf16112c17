import { profiles } from "../../../src/profiles/profiles.ts";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { guestSlot } from "../../../src/cli/commands/guest-slot-command.ts";
import { upgradeInstall } from "../../../src/cli/commands/upgrade-install-command.ts";
import * as z from "../../../src/base/schema.ts";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { blockOf } from "../../../src/upgrade/boot-state.ts";
import { type DocumentName, documents } from "../../../tools/schemas/documents.ts";
import { Fixture } from "../../support/fixture-process.ts";
import { schemaIssues } from "../../support/json-schema.ts";
import { guestDisk, testPlaces } from "../../support/guest-disk.ts";
import { namespaceRoot } from "../../support/namespace.ts";
import { writeNodeFolder } from "../../support/node-folders.ts";
import { HASH, installed, proven } from "../../support/slot-machine.ts";
import { imageTar, smallImage } from "../../support/update-images.ts";
import { upgradeMachine } from "../../support/upgrade-machine.ts";

const fixture = new Fixture();
const boots = join(import.meta.dirname, "../../fixtures/boots");
const cmdline = join(namespaceRoot(), "cmdline");

beforeAll(async () => {
  writeFileSync(cmdline, "dfinity.system=A\n");
  if (spawnSync("mount", ["--bind", cmdline, "/proc/cmdline"]).status !== 0) throw new Error("cannot bind over /proc/cmdline");
  mkdirSync(fixture.path("slots"));
  writeFileSync(fixture.path("version.txt"), "1.0.0\n");
  writeFileSync(fixture.path("slots/A.json"), JSON.stringify(proven));
  writeFileSync(fixture.path("slots/B.json"), JSON.stringify(installed));
  writeFileSync(fixture.path("grubenv"), blockOf({ alternative: "A", cycle: "stable", trial: undefined }, []));
  writeFileSync(fixture.path("update.tar"), imageTar(smallImage));
  mkdirSync(fixture.path("node7"));
  writeFileSync(fixture.path("node7/network.conf"), "hostname=node-7\n");
  writeNodeFolder(fixture.path("node8"));
  const seen = [
    { run: { version: "1.0.0", profile: "guestos", configuration: [] } },
    { unit: "first", plan: 1, decision: { kind: "absent", why: "it was" } },
    { unit: "slow", plan: 1, decision: { kind: "error", problem: { code: "defect", what: "a defect" } } },
    { unit: "gone", plan: 1, decision: { kind: "actions", actions: [] } },
  ];
  writeFileSync(fixture.path("seen.jsonl"), seen.map((line) => `${JSON.stringify(line)}\n`).join(""));
  // One unit of each kind of ending, and one that is skipped for another.
  await fixture.run();
  for (const name of ["bad", "odd", "in-the-way"]) fixture.touch(name);
});
afterAll(() => void spawnSync("umount", ["/proc/cmdline"]));

/** What is wrong with it: as the schema is published, and where nothing is borne that it does not name. */
function faultsOf(name: DocumentName, output: string): readonly string[] {
  const document: unknown = JSON.parse(output);
  const published: unknown = JSON.parse(readFileSync(`share/schemas/${name}.json`, "utf8"));
  const strict: unknown = z.toJSONSchema(documents[name].schema, { io: "output" });
  return [published, strict].flatMap((schema) => {
    const issues = schemaIssues(schema, document);
    return issues.length === 0 ? [] : [z.prettifyError({ issues: [...issues] })];
  });
}

const NONE = { files: [], executables: [], problems: [] };
const record = ["--record", join(boots, "first-boot.jsonl")];

const printed: readonly (readonly [DocumentName, readonly string[]])[] = [
  ["plan", ["plan"]],
  ["run", ["run"]],
  ["run", ["run", "--unit", "patient"]],
  ["plan", ["plan"]],
  ["status", ["status"]],
  ["list", ["list"]],
  ["list", ["graph"]],
  ["verify", ["verify"]],
  ["replay", ["replay", fixture.path("seen.jsonl")]],
  ["monitor", ["monitor", "--once", "--unit", "first", "--unit", "strict"]],
  ["analyze-time", ["analyze", "time", ...record]],
  ["analyze-blame", ["analyze", "blame", ...record]],
  ["analyze-critical-chain", ["analyze", "critical-chain", ...record]],
  ["analyze-plot", ["analyze", "plot", ...record]],
  ["analyze-plot", ["analyze", "report", ...record]],
  ["analyze-diff", ["analyze", "diff", join(boots, "first-boot.jsonl"), join(boots, "no-op-boot.jsonl")]],
  ["why", ["why", "store-key", ...record]],
  ["doctor", ["doctor"]],
  ["upgrade-status", ["upgrade", "status"]],
  ["upgrade-slot", ["upgrade", "current"]],
  ["upgrade-slot", ["upgrade", "target"]],
  ["upgrade-slot", ["upgrade", "next"]],
  ["upgrade-forget", ["upgrade", "forget", HASH]],
  ["upgrade-verify", ["upgrade", "verify", "--insecure", fixture.path("update.tar")]],
  ["upgrade-confirm", ["upgrade", "confirm"]],
  ["upgrade-decide", ["upgrade", "commit", "--no-reboot"]],
  ["config-image", ["config-image", "--out", fixture.path("config.img"), fixture.path("node7")]],
  ["check-node-config", ["check-node-config", fixture.path("node7")]],
  ["check-node-hardware", ["check-node-hardware", fixture.path("node8")]],
  ["check-node-config", ["check-node-config", "--mac", "b0:7b:25:c8:f6:c0", fixture.path("node8")]],
  ["guest-status", ["guest", "status", "--hypervisor", "qemu"]],
  ["error", ["run", "--unit", "unknown"]],
  ["error", ["status", "--boot", "7"]],
];

test.each(printed)("%s.json holds for what guestos-boot %j prints", async (name, command) => {
  const { stdout, stderr } = await fixture.run(...command, "--json");
  expect(stdout, stderr).not.toBe("");
  expect(faultsOf(name, stdout), stdout).toEqual([]);
});

test("upgrade-install.json holds for what an install prints", async () => {
  using machine = upgradeMachine();
  const out: string[] = [];
  const terminal = { print: (line: string) => void out.push(line), complain: () => undefined, colour: false };
  const setup = {
    profile: "guestos",
    chain: [],
    layout: machine.layout,
    medium: profiles.guestos.medium,
    maintenance: async () => [],
    health: async () => [],
    configuration: NONE,
  } as const;
  const flags = { image: fixture.path("update.tar"), insecure: true, allowDowngrade: false, json: true };
  expect(await upgradeInstall(setup, flags, terminal, async () => machine.places)).toBe("ok");
  expect(faultsOf("upgrade-install", out.join("\n")), out.join("\n")).toEqual([]);
});

test("guest-slot.json holds for what guest slot prints of a guest's disk", async () => {
  const folder = namespaceRoot();
  guestDisk(folder, blockOf({ alternative: "B", cycle: "first_boot", trial: "B" }, []));
  const out: string[] = [];
  const terminal = { print: (line: string) => void out.push(line), complain: () => undefined, colour: false };
  const places = testPlaces(folder);
  expect(await guestSlot({ layout: guestosLayout }, { json: true }, terminal, places)).toBe("ok");
  expect(faultsOf("guest-slot", out.join("\n")), out.join("\n")).toEqual([]);
  expect(JSON.parse(out.join("\n"))).toMatchObject({ next: "B", onTrial: true });
});

test("each document that a command prints is held against its schema here", () => {
  // That of the recovery passphrase needs a store: test/power/recovery-passphrase.test.ts. That of host needs a host: vsock.test.ts.
  const held = new Set<string>([...printed.map(([name]) => name), "upgrade-install", "guest-slot", "recovery-passphrase", "host"]);
  expect(Object.keys(documents).filter((name) => !held.has(name))).toEqual([]);
});

test("a schema refuses a document that is not whole", async () => {
  const { stdout } = await fixture.run("list", "--json");
  expect(faultsOf("list", stdout)).toEqual([]);
  expect(faultsOf("list", stdout.replaceAll('"stage"', '"stag"')).join("\n")).toContain("stage");
});
