import { expect, test } from "vitest";
import { stagesOf } from "../../../src/run/stages.ts";
import { guestos } from "../../support/chains.ts";

test("what the rest of the system waits for is all that does not ask the bus", () => {
  const stageOf = stagesOf(guestos);
  const late = guestos.filter((unit) => stageOf(unit) === "late").map(({ name }) => name);
  expect(late).toEqual([
    "system-bus",
    "network-applied",
    "ipv6-monitor",
    "nftables-names",
    "journalbeat",
    "journal-gateway",
    "node-exporter",
    "ic-config",
    "orchestrator",
  ]);
});

test("network, host name, account keys and firewall wait neither for encryption nor for volumes", () => {
  const needed = (name: string): ReadonlySet<string> => {
    const unit = guestos.find((candidate) => candidate.name === name);
    return new Set([...(unit?.requires ?? []), ...(unit?.after ?? [])].flatMap((first) => [first.name, ...needed(first.name)]));
  };
  for (const [name, ...more] of [["network", "network-card"], ["hostname"], ["ssh-account-keys"], ["nftables"]] as const) {
    expect([...needed(name)].toSorted(), name).toEqual(["config-injection", "mount-boot", ...more]);
  }
});
