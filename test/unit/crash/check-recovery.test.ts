import { expect, test } from "vitest";
import { faultsOf } from "../../crash/check-recovery.ts";
import type { ConfigAtCut } from "../../crash/config-at-cut.ts";
import type { Recovered } from "../../crash/recovered.ts";

const intent = (uuid: string, phase = "complete"): string => JSON.stringify({ version: 1, about: "test", uuid, phase });

const cut: ConfigAtCut = {
  files: new Map([
    ["store.keyfile", "k"],
    ["ssh/ssh_host_rsa_key", "r"],
    ["intents/store.json", "i"],
    [".network.conf.new", "n"],
  ]),
  intents: new Map([
    ["store", intent("one")],
    ["var-A", intent("two", "begun")],
    ["filesystem-shared-data", intent("three")],
    ["volumes", intent("four")],
  ]),
  documents: new Map(),
};
const state = { grubenv: ["boot_cycle=stable"], partitions: ["vda1", "vda10"] };
const good: Recovered = {
  state,
  files: new Map([
    ["store.keyfile", "k"],
    ["ssh/ssh_host_rsa_key", "r"],
  ]),
  uuids: ["", "one", "two", "three", "four"],
  redone: ["var: encrypt /dev/vda6 (A_var) with LUKS2", "volume-filesystems: make ext4 on shared-crypto"],
};

test("a boot that redoes what was not complete, and keeps what was, has no fault", () => {
  expect(faultsOf(cut, good, state)).toEqual([]);
});

test.each<[string, Partial<Recovered>, RegExp]>([
  ["the target was not reached", { failure: "not reached: early: 1 failed" }, /target was not reached/],
  ["something is missing", { state: { ...state, partitions: ["vda1"] } }, /^partitions: missing: vda10$/],
  ["something is left over", { state: { ...state, partitions: ["vda1", "vda10", "vda11"] } }, /^partitions: in addition: vda11$/],
  ["nothing was looked at", { state: {} }, /grubenv: missing/],
  ["a key is gone", { files: new Map([["ssh/ssh_host_rsa_key", "r"]]) }, /store\.keyfile .* gone/],
  ["a key was replaced", { files: new Map([...good.files, ["ssh/ssh_host_rsa_key", "other"]]) }, /ssh_host_rsa_key .* another/],
  [
    "the store was encrypted again",
    { redone: ["store-key: encrypt /dev/vda10 (store) with LUKS2"] },
    /store was complete, and was made again/,
  ],
  [
    "a volume was formatted again",
    { redone: ["volume-filesystems: make xfs on shared-data"] },
    /shared-data was complete, and was made again/,
  ],
  ["the volume group was made again", { redone: ["volumes: make the volume group store with data"] }, /volumes was complete/],
  ["what was complete is not there", { uuids: ["one", "two", "four"] }, /shared-data was complete as three/],
])("found: %s", (_, change, words) => {
  expect(faultsOf(cut, { ...good, ...change }, state).join("\n")).toMatch(new RegExp(words, "m"));
});

test("an intent that no rule knows is a fault: a new unit needs one", () => {
  const unknown = { ...cut, intents: new Map([["cache", intent("one")]]) };
  expect(faultsOf(unknown, good, state)).toEqual([expect.stringContaining("no rule says what the intent cache stands for")]);
});
