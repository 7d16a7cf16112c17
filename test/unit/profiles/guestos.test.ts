import { expect, test } from "vitest";
import { graphProblems, inOrder } from "../../../src/boot/graph.ts";
import { guestos } from "../../support/chains.ts";

test("the chain of a GuestOS is sound", () => {
  expect(graphProblems(guestos)).toEqual([]);
});

test("it is written down in an order in which it could be run", () => {
  const names = guestos.map(({ name }) => name);
  for (const { name, requires, after } of guestos) {
    for (const first of [...requires, ...after])
      expect(names.indexOf(first.name), `${first.name} before ${name}`).toBeLessThan(names.indexOf(name));
  }
  expect(inOrder(guestos)).toHaveLength(guestos.length);
});

test("nothing early requires something late: the early service would have to wait for the bus", () => {
  for (const unit of guestos.filter(({ stage }) => stage === "early")) {
    expect(
      [...unit.requires, ...unit.after].filter(({ stage }) => stage === "late").map(({ name }) => name),
      unit.name,
    ).toEqual([]);
  }
});

test("network, host name and account keys wait neither for encryption nor for volumes", () => {
  const needed = (name: string): ReadonlySet<string> => {
    const unit = guestos.find((candidate) => candidate.name === name);
    return new Set([...(unit?.requires ?? []), ...(unit?.after ?? [])].flatMap((first) => [first.name, ...needed(first.name)]));
  };
  for (const [name, ...more] of [["network", "network-card"], ["hostname"], ["ssh-account-keys"]] as const) {
    expect([...needed(name)].toSorted(), name).toEqual(["config-injection", "mount-boot", ...more]);
  }
});
