import { expect, test } from "vitest";
import { faultsOf } from "../../crash/check-recovery.ts";
import type { ConfigAtCut } from "../../crash/config-at-cut.ts";
import type { Recovered } from "../../crash/recovered.ts";

const intent = (uuid: string, phase = "complete"): string => JSON.stringify({ version: 1, about: "test", uuid, phase });

const cut: ConfigAtCut = {
  files: new Map([
    ["store.keyfile", "k"],
    ["ssh/ssh_host_rsa_key", "r"],
    ["node_exporter/node_exporter.key", "e"],
    ["intents/store.json", "i"],
    [".network.conf.new", "n"],
    ["node_exporter/.node_exporter.crt.new", "half"],
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
    ["node_exporter/node_exporter.key", "e"],
  ]),
  uuids: ["", "one", "two", "three", "four"],
  record: "",
  redone: ["var: encrypt /dev/vda6 (A_var) with LUKS2", "volume-filesystems: make ext4 on shared-crypto"],
};

test("a boot that redoes what was not complete, and keeps what was, has no fault", () => {
  expect(faultsOf(cut, good, state)).toEqual([]);
});

test.each<[string, Partial<Recovered>, RegExp]>([
  ["the target was not reached", { failure: "not reached: early: 1 failed" }, /target was not reached/],
  ["something is missing", { state: { ...state, partitions: ["vda1"] } }, /^partitions: missing: vda10$/],
  ["something is left over", { state: { ...state, partitions: ["vda1", "vda10", "vda11"] } }, /^partitions: in addition: vda11$/],
  ["nothing was inspected", { state: {} }, /grubenv: missing/],
  ["a key is gone", { files: new Map([["ssh/ssh_host_rsa_key", "r"]]) }, /store\.keyfile .* gone/],
  ["the metrics' key is gone", { files: new Map([...good.files].slice(0, 2)) }, /node_exporter\.key .* gone/],
  ["a key was replaced", { files: new Map([...good.files, ["ssh/ssh_host_rsa_key", "other"]]) }, /ssh_host_rsa_key .* another/],
  [
    "the store was encrypted again",
    { redone: ["store-key: encrypt /dev/vda10 (store) with LUKS2"] },
    /store was complete, and was made again/,
  ],
  [
    "the ends of the store were zeroed again",
    { redone: ["store-key: zero both ends of vda10-crypt, where it is inspected"] },
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

test("the /var of the other system is another one", () => {
  const both = { ...cut, intents: new Map([...cut.intents, ["var-A", intent("two")], ["var-B", intent("five", "begun")]]) };
  const onB = (...redone: readonly string[]) => ({ ...good, uuids: [...good.uuids, "five"], redone });
  const made = [
    "var: encrypt /dev/vda9 (B_var) with LUKS2",
    "var: make the ext4 file system of /var",
    "var: fill it from the image's own /var",
  ];
  expect(faultsOf(both, onB(...made), state, "B")).toEqual([]);
  expect(faultsOf(both, onB("var: encrypt /dev/vda6 (A_var) with LUKS2"), state, "B")).toEqual([
    expect.stringContaining("var-A was complete"),
  ]);
  const complete = { ...both, intents: new Map([...both.intents, ["var-B", intent("five")]]) };
  expect(faultsOf(complete, onB(...made), state, "B").filter((fault) => fault.startsWith("var-B was complete"))).toHaveLength(3);
});
