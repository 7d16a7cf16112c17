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

/** Of a GuestOS of 2025/26 (dfinity/ic: custom-metrics.sh, boot-metrics.sh, retry-var-failure.sh, setup-hostname.sh, manageboot.sh). */
const TODAY = [
  ...["guestos_version", "guestos_config_version", "guestos_boot_action", "guestos_boot_stable"],
  ...["guestos_node_operator_private_key_exists", "guestos_tee_configured", "guestos_tee_active"],
  ...["guestos_boot_kernel_seconds", "guestos_boot_userspace_seconds", "guestos_boot_total_seconds", "guestos_boot_service_seconds"],
  ...["tainted_var", "setup_hostname"],
];

test("the names that GuestOS nodes have are kept, in the section that says so, and no other one is in it", () => {
  const [, section = ""] = /^## Kept from IC-OS\n([^]*?)^## /m.exec(readFileSync("docs/metrics.md", "utf8")) ?? [];
  const rows = [...section.matchAll(/^\| `(\w+)`/gm)].map(([, name = ""]) => name);
  expect(rows.toSorted()).toEqual(TODAY.toSorted());
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
