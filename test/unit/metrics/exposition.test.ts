import { expect, test } from "vitest";
import { exposition } from "../../../src/metrics/exposition.ts";
import { families, oneHot, sample } from "../../../src/metrics/families.ts";

test("samples of a family are together, below its help and type", async () => {
  const text = await exposition([
    sample(families.unitRetries, 3, { unit: "var" }),
    sample(families.bootStable, true),
    sample(families.unitRetries, 0, { unit: "volumes" }),
  ]);
  expect(text).toBe(`# HELP guestos_unit_retries_total ${families.unitRetries.help}
# TYPE guestos_unit_retries_total counter
guestos_unit_retries_total{unit="var"} 3
guestos_unit_retries_total{unit="volumes"} 0

# HELP guestos_boot_stable ${families.bootStable.help}
# TYPE guestos_boot_stable gauge
guestos_boot_stable 1
`);
});

test("what a label holds is quoted: a version from outside cannot write a second sample", async () => {
  const text = await exposition([sample(families.version, 1, { version: '1"} 1\nguestos_boot_stable 0\\' })]);
  expect(text.split("\n")[2]).toBe(String.raw`guestos_version{version="1\"} 1\nguestos_boot_stable 0\\"} 1`);
});

test("two samples with the same labels are refused, not added up", async () => {
  const twice = [sample(families.unitDrift, 1, { unit: "var" }), sample(families.unitDrift, 2, { unit: "var" })];
  await expect(exposition(twice)).rejects.toThrow("a sample of guestos_unit_drift comes twice");
});

test("one of the values holds, and an unknown one leaves none", () => {
  const values = (held: string): readonly number[] =>
    oneHot(families.bootCycle, "cycle", ["stable", "install"], held).map(({ value }) => value);
  expect(values("stable")).toEqual([1, 0]);
  expect(values("odd")).toEqual([0, 0]);
});
