import { expect, test } from "vitest";
import type { ConfigAtCut } from "../../crash/config-at-cut.ts";
import { inspectionFaults } from "../../crash/inspect-config.ts";

const intent = (uuid: string, phase: string): string => JSON.stringify({ uuid, phase });
type Texts = Readonly<Record<string, string>>;
const config = (files: Texts, intents: Texts, documents: Texts = {}): ConfigAtCut => ({
  files: new Map(Object.entries(files)),
  intents: new Map(Object.entries(intents)),
  documents: new Map(Object.entries(documents)),
});

const end = config(
  { "store.keyfile": "k", "network.conf": "n", CONFIGURED: "c", "intents/store.json": "i" },
  { store: intent("one", "complete"), volumes: intent("two", "complete") },
);
const none = new Map<string, string>();
const store = new Map([["store", "one"]]);

test.each([
  ["a blank node", config({}, {}), none],
  ["a key that is being written", config({ ".store.keyfile.new": "half" }, {}), none],
  [
    "a store that is about to be encrypted",
    config({ "store.keyfile": "k", "intents/store.json": "b" }, { store: intent("one", "begun") }),
    none,
  ],
  ["a store that is encrypted", config({ "store.keyfile": "k" }, { store: intent("one", "begun") }), store],
  ["the end", end, store],
])("allowed: %s", (_, cut, headers) => {
  expect(inspectionFaults(cut, headers, end)).toEqual([]);
});

test.each([
  ["half a key", config({ "store.keyfile": "half" }, {}), none, "store.keyfile is not whole"],
  ["half a note", config({ "injection.json": "other" }, {}, { "injection.json": "{" }), none, "injection.json is no JSON"],
  ["half an intent", config({}, { store: "{" }), none, "the intent store is not whole"],
  ["another UUID", config({}, { store: intent("three", "begun") }), none, "the intent store has a UUID of its own"],
  ["a store without an intent", config({ "store.keyfile": "k" }, {}), store, "store is encrypted, and has no intent"],
  ["a store without its key", config({}, { store: intent("one", "begun") }), store, "store is encrypted, and its key has not lasted"],
  [
    "complete too early",
    config({ "store.keyfile": "k" }, { store: intent("one", "complete") }),
    none,
    "store is called complete, and is not there",
  ],
  ["configured too early", config({ "store.keyfile": "k", CONFIGURED: "c" }, {}), none, "configured, and network.conf is missing"],
])("found: %s", (_, cut, headers, fault) => {
  expect(inspectionFaults(cut, headers, end)).toEqual([fault]);
});
