import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { isConflict } from "../../../../src/boot/unit.ts";
import { TreeDigest } from "../../../../src/medium/tree-digest.ts";
import { injectedData } from "../../../../src/units/injection/injected-data.ts";
import { fakeHost, type FakeHost } from "../../../support/fake-host.ts";
import { testMachine } from "../../../support/test-machine.ts";

const SHA = "a".repeat(64);
const OTHER = "b".repeat(64);
const STATE = "/var/lib/ic/data/ic_state/x";
const DONE = "note that this node is configured: /boot/config/CONFIGURED";

/** The digest of a folder with one file x in it. */
function stateDigest(content: string): string {
  const tree = new TreeDigest();
  tree.folder("");
  tree.file("x", createHash("sha256").update(content).digest("hex"));
  return tree.digest();
}

function node(files: Readonly<Record<string, string>>, data: readonly object[] = [], phase = "stored"): FakeHost {
  const injection = { version: 1, sha256: SHA, device: "/dev/sda", phase, config: [], data };
  return fakeHost({ files: { "/boot/config/injection.json": JSON.stringify(injection), ...files } });
}

const placed = (sha256: string, content: string): Readonly<Record<string, string>> => ({
  "/boot/config/injected-data.json": JSON.stringify({ version: 1, sha256, data: [{ target: "ic_state", digest: stateDigest(content) }] }),
});
const wanted = [{ target: "ic_state", digest: stateDigest("new") }];

async function outcome(host: FakeHost): Promise<readonly string[] | "conflict"> {
  const plan = await injectedData.plan(testMachine(host));
  expect(host.effects).toEqual([]);
  return isConflict(plan) ? "conflict" : plan.map(({ description }) => description);
}

test("a configured node is not inspected any further", async () => {
  expect(await outcome(node({ "/boot/config/CONFIGURED": "", [STATE]: "whatever" }, wanted))).toEqual([]);
});

test("without keys and state all that is missing is CONFIGURED", async () => {
  expect(await outcome(node({}))).toEqual([DONE]);
});

test.each<readonly [string, Readonly<Record<string, string>>, readonly string[] | "conflict"]>([
  ["nothing", {}, [`store ic_state from the medium (sha256 ${SHA})`, DONE]],
  ["what the medium brings", { [STATE]: "new" }, [DONE]],
  ["what the medium brings, after a power cut", { [STATE]: "new", ...placed(SHA, "new") }, [DONE]],
  [
    "what an earlier medium brought",
    { [STATE]: "old", ...placed(OTHER, "old") },
    ["remove /var/lib/ic/data/ic_state, which came from another medium", `store ic_state from the medium (sha256 ${SHA})`, DONE],
  ],
  ["what an earlier medium brought, and has changed since", { [STATE]: "changed", ...placed(OTHER, "old") }, "conflict"],
  ["something else", { [STATE]: "old" }, "conflict"],
  ["something else, and a note that cannot be read", { [STATE]: "old", "/boot/config/injected-data.json": "{" }, "conflict"],
])("in the place of a tree there is %s", async (_, files, expected) => {
  expect(await outcome(node(files, wanted))).toEqual(expected);
});

test("a link in the place of a tree is something else", async () => {
  const host = node({}, wanted);
  const linked = {
    ...host,
    stat: async (path: string) =>
      path === "/var/lib/ic/data/ic_state" ? { kind: "link" as const, mode: 0o777, uid: 0, gid: 0, size: 0 } : host.stat(path),
  };
  expect(await outcome(linked)).toBe("conflict");
});

test("what an earlier medium brought and this one does not is removed", async () => {
  expect(await outcome(node({ [STATE]: "old", ...placed(OTHER, "old") }))).toEqual([
    "remove /var/lib/ic/data/ic_state, which came from another medium",
    DONE,
  ]);
});

test("while the config partition is half done, nothing is stored", async () => {
  await expect(outcome(node({}, [], "begun"))).rejects.toThrow("it is not recorded which configuration is being stored");
});
