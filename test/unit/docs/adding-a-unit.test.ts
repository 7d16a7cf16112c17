import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { graphProblems } from "../../../src/boot/graph.ts";
import { guestos } from "../../support/chains.ts";
import type { GuestUnit } from "../../../src/units/machine.ts";
import { fakeHost } from "../../support/fake-host.ts";
import { runUnit } from "../../support/run-unit.ts";
import { testMachine } from "../../support/test-machine.ts";

const folder = mkdtempSync(join(tmpdir(), "adding-a-unit-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The unit of docs/adding-a-unit.md, as a reader would copy it. */
async function documentedUnit(): Promise<GuestUnit> {
  const text = readFileSync("docs/adding-a-unit.md", "utf8");
  const code = /```ts\n(.*?)```/s.exec(text)?.[1] ?? "";
  const file = join(folder, "swappiness.ts");
  const units = pathToFileURL(join(process.cwd(), "src/units/disks/")).href;
  writeFileSync(
    file,
    code.replaceAll(/from "(\.\.?\/[^"]+)"/g, (_, path: string) => `from "${new URL(path, units).pathname}"`),
  );
  const module: { readonly swappiness: GuestUnit } = await import(file);
  return module.swappiness;
}

const FILE = "/proc/sys/vm/swappiness";

test("the documented unit sets the value once, and then leaves it alone", async () => {
  const host = fakeHost({ files: { [FILE]: "60\n" } });
  const swappiness = await documentedUnit();
  expect(await runUnit(swappiness, testMachine(host))).toEqual(["set vm.swappiness from 60 to 10"]);
  expect(host.effects).toEqual([`overwrite ${FILE}`]);
  expect(await runUnit(swappiness, testMachine(host))).toEqual([]);
});

test("it says what is in the way", async () => {
  await expect(runUnit(await documentedUnit(), testMachine(fakeHost()))).rejects.toThrow(/how eagerly the kernel swaps: found no/);
});

test("it fits into the chain", async () => {
  expect(graphProblems([...guestos, await documentedUnit()])).toEqual([]);
});
