import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ProblemError } from "../../../src/base/problem.ts";
import { Secret } from "../../../src/base/secret.ts";
import { type Machine, unit } from "../../../src/units/machine.ts";
import { canary, runsSearched, takeFound } from "../../support/canaries.ts";
import { Fixture } from "../../support/fixture-process.ts";
import { namespaceMachine } from "../../support/namespace-machine.ts";
import { runUnit } from "../../support/run-unit.ts";

/** What watches all tests with real tools finds a secret that is planted, in each place that it watches, however it is written there. */

const key = canary("the key", randomBytes(24));
const hex = key.toString("hex");
const base64 = key.toString("base64");
const machine = namespaceMachine({ "/etc/hostname": base64 });
const { host, at } = machine;
const CLI = join(import.meta.dirname, "../../support/fixture-cli.ts");

/** Runs a unit that does this as it plans. */
async function planning(look: (given: Machine) => unknown): Promise<void> {
  const plan = async (given: Machine): Promise<[]> => {
    await look(given);
    return [];
  };
  await runUnit(unit({ name: "leaking", title: "Leak", plan }), machine);
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* [bytes];
}

test.each<readonly [where: string, leak: () => unknown]>([
  ["the problem test-problem", () => new ProblemError({ code: "test-problem", what: "a line", found: `key=${hex}` })],
  ["arguments or environment of true", async () => host.run({ program: "true", args: [`--key=${base64}`] })],
  ["arguments or environment of true", async () => host.run({ program: "true", args: [], env: { KEY: hex } })],
  [at("/open"), async () => host.writeFile(at("/open"), key, { mode: 0o644 })],
  [at("/stream"), async () => host.writeStream(at("/stream"), pieces(key), { mode: 0o604 })],
  ["a note of leaking", async () => planning(({ note }) => note(hex.toUpperCase()))],
  ["the observation of leaking", async () => planning(async (given) => given.host.readText(at("/etc/hostname")))],
  [`what --unit ${base64} printed`, async () => new Fixture().run("--unit", base64)],
  [`what --unit ${base64} printed`, () => spawnSync(process.execPath, [CLI, "--unit", base64], { env: { FIXTURE_ROOT: machine.root } })],
])("a secret is found in %s", async (where, leak) => {
  await leak();
  expect(takeFound()).toEqual([`the key in ${where}`]);
});

test("a file is searched when others get access to it", async () => {
  await host.writeFile(at("/given"), key, { mode: 0o600 });
  expect(takeFound()).toEqual([]);
  await host.setAttributes(at("/given"), { mode: 0o644 });
  expect(takeFound()).toEqual([`the key in ${at("/given")}`]);
});

test("what the program takes for a secret is one, and runs are counted that have one", () => {
  const own = randomBytes(20).toString("hex");
  const tell = (): unknown => new ProblemError({ code: "test-problem", what: own });
  tell();
  expect(takeFound()).toEqual([]);
  expect(String(new Secret(Buffer.from(own)))).toBe("[secret]");
  tell();
  expect(takeFound()).toEqual(["a secret of the program in the problem test-problem"]);
  expect(runsSearched()).toBeGreaterThan(0);
});
