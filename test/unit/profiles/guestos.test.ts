import { expect, test } from "vitest";
import { graphProblems, inOrder } from "../../../src/boot/graph.ts";
import { stagesOf } from "../../../src/run/stages.ts";
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

test("what the rest of the system waits for is all that does not ask the bus", () => {
  const stageOf = stagesOf(guestos);
  const late = guestos.filter((unit) => stageOf(unit) === "late").map(({ name }) => name);
  expect(late).toEqual(["system-bus", "network-applied", "ipv6-monitor", "nftables", "journalbeat", "node-exporter"]);
});

test("network, host name and account keys wait neither for encryption nor for volumes", () => {
  const needed = (name: string): ReadonlySet<string> => {
    const unit = guestos.find((candidate) => candidate.name === name);
    return new Set([...(unit?.requires ?? []), ...(unit?.after ?? [])].flatMap((first) => [first.name, ...needed(first.name)]));
  };
  for (const name of ["network", "hostname", "ssh-account-keys"]) {
    expect([...needed(name)].toSorted(), name).toEqual(["config-injection", "mount-boot"]);
  }
});
