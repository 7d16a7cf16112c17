import { expect, test } from "vitest";
import { graphProblems } from "../../../src/boot/graph.ts";
import { withSettings } from "../../../src/run/unit-settings.ts";
import { BootConfig } from "../../../src/config/boot-config.ts";
import { parseYaml } from "../../../src/config/text/yaml-file.ts";
import { guestos } from "../../support/chains.ts";
import type { GuestUnit } from "../../../src/units/machine.ts";
import { maintenance } from "../../support/chains.ts";
import { problemOf } from "../../support/problem-of.ts";

const all = [...guestos, ...maintenance];

async function settled(yaml: string): Promise<readonly GuestUnit[]> {
  return withSettings(all, await parseYaml(Buffer.from(yaml), "config.yaml", BootConfig));
}

test("a file that says nothing leaves every unit as it is", async () => {
  const facts = (unit: GuestUnit): unknown => ({ ...unit, requires: unit.requires.map(facts), after: unit.after.map(facts) });
  expect((await settled("# nothing yet\n")).map(facts)).toEqual(all.map(facts));
});

test("what is set is set, also where others require the unit, and nothing else", async () => {
  const units = await settled("units:\n  store-key: { timeout: 900, retryFor: 60 }\n  hostname: { onFailure: stop }\n");
  const [storeKey, hostname] = ["store-key", "hostname"].map((name) => units.find((unit) => unit.name === name));
  expect(storeKey).toMatchObject({ timeout: 900_000, retryFor: 60_000, onFailure: "stop" });
  expect(hostname).toMatchObject({ onFailure: "stop", timeout: 60_000 });
  expect(units.find(({ name }) => name === "volumes")?.requires).toEqual([storeKey]);
  expect(units.map(({ name }) => name)).toEqual(all.map(({ name }) => name));
  expect(graphProblems(units)).toEqual([]);
});

test("a unit that nothing requires is disabled, and so is a whole branch", async () => {
  const off = (names: readonly string[]): string => `units:\n${names.map((name) => `  ${name}: { off: true }\n`).join("")}`;
  expect((await settled(off(["journalbeat"]))).map(({ name }) => name)).toEqual(
    all.map(({ name }) => name).filter((name) => name !== "journalbeat"),
  );
  const units = await settled(off(["network", "ipv6-monitor"]));
  expect(units).toHaveLength(all.length - 2);
  expect(graphProblems(units)).toEqual([]);
});

/** Units that require that one, but for those that are off as well. */
function requiring(name: string, ...off: readonly string[]): string {
  const units = all.filter((unit) => unit.requires.some((required) => required.name === name) && !off.includes(unit.name));
  return units.map((unit) => unit.name).join(", ");
}

test.each([
  ["units:\n  network:\n    off: true\n", 3, 5, "network is disabled", `required by ${requiring("network")}`],
  [
    [
      "units:\n  volume-mounts: { off: true }\n  injected-data: { off: true }\n  upgrade-data-store: { off: true }\n",
      "  data-owners: { off: true }\n  orchestrator: { off: true }\n",
    ].join(""),
    2,
    20,
    "volume-mounts is disabled",
    `required by ${requiring("volume-mounts", "injected-data", "upgrade-data-store", "data-owners")}`,
  ],
  ["units:\n  netwrok: { timeout: 20 }\n", 2, 3, "there is no such unit", '"netwrok"'],
  ["units:\n  var: { timeout: 60, retryFor: 60 }\n", 2, 23, "var has no time for its retries", "retryFor 60, timeout 60"],
  ["units:\n  config-injection: { retryFor: 1000 }\n", 2, 23, "config-injection has no time for its retries", "retryFor 1000, timeout 300"],
  ["units:\n  volumes: { timeout: 10 }\n", 2, 3, "volumes has no time for its retries", "retryFor 15, timeout 10"],
])("%j is refused at %i:%i, and says who is concerned", async (yaml, line, column, what, found) => {
  expect(await problemOf(async () => settled(yaml))).toMatchObject({ where: { file: "config.yaml", line, column }, what, found });
});
