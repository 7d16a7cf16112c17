import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Family, families } from "../../../src/metrics/families.ts";
import { metricRow } from "../../support/metrics-table.ts";

const all: readonly Family[] = Object.values(families);

test("docs/metrics.md has a row for every metric, as the code has it, and for no other", () => {
  const rows = readFileSync("docs/metrics.md", "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  expect(rows.toSorted()).toEqual(all.map(metricRow).toSorted());
});

test("names are Prometheus' own way: a counter ends in _total, a unit is in the name, and none comes twice", () => {
  const endings = { seconds: /_seconds(_total)?$/, "unix seconds": /_time(stamp)?_seconds$/, bytes: /_bytes$/ };
  for (const { name, type, unit } of all) {
    expect(name.endsWith("_total"), name).toBe(type === "counter");
    if (unit in endings) expect(name).toMatch(endings[unit as keyof typeof endings]);
  }
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
});

test.each(["share/prometheus/guestos-boot.rules.yml", "share/grafana/guestos-boot.json"])(
  "%s speaks of no metric that is not there",
  (file) => {
    const named = readFileSync(file, "utf8").match(/\bguestos_[a-z_]+/g) ?? [];
    expect(named.filter((name) => all.every((family) => family.name !== name))).toEqual([]);
  },
);
