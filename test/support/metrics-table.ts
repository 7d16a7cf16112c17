import type { Family } from "../../src/metrics/families.ts";

/** The row of docs/metrics.md that a metric must have. */
export function metricRow({ name, type, unit, labels, help }: Family): string {
  const meanings = Object.entries(labels).map(([label, meaning]) => `\`${label}\`: ${meaning}`);
  return `| \`${name}\` | ${type} | ${unit} | ${meanings.join("; ") || "—"} | ${help} |`;
}
