import { expect, test } from "vitest";
import { defineUnit } from "../../../../src/boot/unit.ts";
import { graphText } from "../../../../src/cli/commands/graph-text.ts";

const plan = async (): Promise<[]> => [];
const boot = defineUnit<object>({ name: "mount-boot", title: 'Mount "/boot"', plan });
const key = defineUnit<object>({ name: "store-key", title: "Keys", requires: [boot], plan });
const bus = defineUnit<object>({ name: "system-bus", title: "Bus", requires: [boot], after: [boot, key], plan });
const chain = [boot, key, bus];

test("as text, a line a unit", () => {
  expect(graphText(chain, "text")).toBe(`mount-boot
store-key            requires mount-boot
system-bus           requires mount-boot; after store-key`);
});

test("for Graphviz", () => {
  expect(graphText(chain, "dot")).toBe(`digraph chain {
  rankdir=LR;
  node [shape=box];
  "mount-boot" [tooltip="Mount \\"/boot\\""];
  "store-key" [tooltip="Keys"];
  "mount-boot" -> "store-key";
  "system-bus" [tooltip="Bus", style=rounded];
  "mount-boot" -> "system-bus";
  "store-key" -> "system-bus" [style=dashed];
}`);
});

test("for Mermaid", () => {
  expect(graphText(chain, "mermaid")).toBe(`flowchart LR
  mount-boot[mount-boot]
  store-key[store-key]
  mount-boot --> store-key
  system-bus(system-bus)
  mount-boot --> system-bus
  store-key -.-> system-bus`);
});
