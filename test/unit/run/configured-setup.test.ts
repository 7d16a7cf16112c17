import { profiles } from "../../../src/profiles/profiles.ts";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { changedUnits, graphProblems } from "../../../src/boot/graph.ts";
import { activate, provision } from "../../../src/boot/unit.ts";
import type { Setup } from "../../../src/run/setup.ts";
import { configured } from "../../../src/run/load-setup.ts";
import { guestosLayout, ownFiles } from "../../../src/config/layout/layout.ts";
import { guestos } from "../../support/chains.ts";
import type { GuestUnit } from "../../../src/units/machine.ts";
import { maintenance } from "../../support/chains.ts";
import { fakeHost } from "../../support/fake-host.ts";
import { testMachine } from "../../support/test-machine.ts";
import { stagesOf } from "../../../src/run/stages.ts";

const folder = mkdtempSync(join(tmpdir(), "configured-"));
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;

/** A setup with that file; every unit asks for `wanted`. */
function setupWith(yaml: string | undefined, wanted: GuestUnit["plan"] = async () => []): Setup {
  const units = changedUnits([...guestos, ...maintenance], (unit) => ({ ...unit, plan: wanted }));
  const own = join(folder, String((count += 1)));
  mkdirSync(own);
  if (yaml !== undefined) writeFileSync(join(own, "config.yaml"), yaml, { mode: 0o644 });
  return {
    profile: "guestos",
    chain: units.slice(0, guestos.length),
    layout: { ...guestosLayout, etc: { ...guestosLayout.etc, ...ownFiles(own) } },
    medium: profiles.guestos.medium,
    maintenance: async () => units.slice(guestos.length),
    health: async () => [],
    configuration: { files: [], executables: [], problems: [] },
  };
}

test("without a file it is the same setup", async () => {
  const setup = setupWith(undefined);
  expect(await configured(setup)).toBe(setup);
});

test("the monitor's own units follow the file too", async () => {
  const made = await configured(setupWith("units:\n  backup-spool: { off: true }\n  data-growth: { timeout: 77 }\n"));
  expect(made.configuration.problems).toEqual([]);
  expect(await made.maintenance()).toMatchObject([{ name: "data-growth", timeout: 77_000 }]);
  expect(graphProblems([...made.chain, ...(await made.maintenance())])).toEqual([]);
});

test("without a file that can be used, nothing is made by the defaults that stays, and what is there is put in place", async () => {
  const broken = "layout:\n  volumeGroup: [store]\n";
  const made = async (unit: string, plan: GuestUnit["plan"]): Promise<unknown> =>
    (await configured(setupWith(broken, plan))).chain.find(({ name }) => name === unit)?.plan(testMachine(fakeHost()));
  const effects = [activate("open it", async () => undefined), provision("make it", async () => undefined)];
  for (const unit of ["store-key", "var", "volumes", "volume-filesystems"]) {
    expect(await made(unit, async () => effects)).toMatchObject({
      conflict: {
        what: expect.stringContaining("not done with the default settings"),
        where: { line: 2, column: 16 },
        found: "to do: make it",
      },
    });
    expect(await made(unit, async () => effects.slice(0, 1))).toEqual(effects.slice(0, 1));
    expect(await made(unit, async () => [])).toEqual([]);
  }
  expect(await made("network", async () => effects)).toEqual(effects);
});

test("with it the chain is sound, and says what is wrong in a unit that only degrades", async () => {
  const { chain, layout, configuration } = await configured(setupWith("- a\n"));
  expect(chain.map(({ name }) => name)).toEqual(["configuration", ...guestos.map(({ name }) => name)]);
  expect(chain.slice(0, 1).map((first) => [first.onFailure, stagesOf(chain)(first)])).toEqual([["degrade", "early"]]);
  expect(graphProblems(chain)).toEqual([]);
  expect(layout.partitions.store).toBe("store");
  expect(configuration.problems).toHaveLength(1);
});
