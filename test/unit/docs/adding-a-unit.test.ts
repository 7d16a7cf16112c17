import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { graphProblems } from "../../../src/boot/graph.ts";
import type { GuestUnit } from "../../../src/units/machine.ts";
import { guestos } from "../../support/chains.ts";
import { fakeHost } from "../../support/fake-host.ts";
import { problemOf } from "../../support/problem-of.ts";
import { runUnit } from "../../support/run-unit.ts";
import { testMachine } from "../../support/test-machine.ts";

mkdirSync("build", { recursive: true });
const folder = mkdtempSync(resolve("build/adding-a-unit-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The files of docs/adding-a-unit.md, by path, in their order; a later one takes the place of an earlier one. */
const files = [...readFileSync("docs/adding-a-unit.md", "utf8").matchAll(/`((?:src|test)\/[\w/.-]+\.ts)`:\n\n```ts\n(.*?)```/gs)].map(
  ([, path = "", code = ""]) => ({ path, code }),
);

/** As a reader would have them: beside the sources, to which all their other imports lead. @returns where a file of them is */
function written(name: string, documented: typeof files): (path: string) => string {
  const own = new Map(documented.map(({ path, code }) => [path, code]));
  const place = (path: string): string => join(folder, name, path);
  for (const [path, code] of own) {
    mkdirSync(dirname(place(path)), { recursive: true });
    const rewritten = code.replaceAll(/from "(\.\.?\/[^"]+)"/g, (_, imported: string) => {
      const meant = join(dirname(path), imported);
      return `from "${own.has(meant) ? place(meant) : relative(dirname(place(path)), resolve(meant))}"`;
    });
    writeFileSync(place(path), rewritten);
  }
  return place;
}

const UNIT = "src/units/disks/swappiness.ts";
const SETTING = "/proc/sys/vm/swappiness";
const isConf = ({ path }: { readonly path: string }): boolean => path.includes("/config/");
const upTo = files.findIndex(isConf);
const simple = written("simple", files.slice(0, upTo));
const configured = written("configured", files);

async function unitAt(file: string): Promise<GuestUnit> {
  const module: { readonly swappiness: GuestUnit } = await import(file);
  return module.swappiness;
}

test("the document has both examples, with the unit's test", () => {
  expect(files.filter(({ path }) => path === UNIT)).toHaveLength(2);
  expect(files.filter(({ path }) => path.endsWith(".test.ts"))).toHaveLength(1);
});

test("the documented files have no error of types", () => {
  const settings = join(folder, "tsconfig.json");
  writeFileSync(
    settings,
    JSON.stringify({ extends: resolve("tsconfig.json"), include: ["simple", "configured", resolve("src/**/*.d.ts")] }),
  );
  const { status, stdout } = spawnSync("node_modules/.bin/tsc", ["--project", settings], { encoding: "utf8" });
  expect(status, `docs/adding-a-unit.md:\n${stdout}`).toBe(0);
});

// The documented test is run as it is, on both units.
describe.each([simple, configured])("the documented test, %#", async (place) => {
  await import(place("test/unit/units/disks/swappiness.test.ts"));
});

test.each([simple, configured])("the documented unit fits into the chain, %#", async (place) => {
  const unit = await unitAt(place(UNIT));
  expect(graphProblems([...guestos.filter(({ name }) => name !== unit.name), unit])).toEqual([]);
});

test("the second one takes its value from the file, and with a wrong one changes nothing", async () => {
  const unit = await unitAt(configured(UNIT));
  const machine = (conf: string): ReturnType<typeof fakeHost> => fakeHost({ files: { [SETTING]: "60\n", "/boot/config/swap.conf": conf } });
  expect(await runUnit(unit, testMachine(machine("swappiness=30\n")))).toEqual(["set vm.swappiness from 60 to 30"]);
  const host = machine("# x\nswappiness=201\n");
  const problem = await problemOf(async () => runUnit(unit, testMachine(host)));
  expect(problem).toMatchObject({
    where: { file: "/boot/config/swap.conf", line: 2, column: 12 },
    expected: "a whole number from 0 to 200",
  });
  expect(host.effects).toEqual([]);
});
