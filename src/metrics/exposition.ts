import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";
import Registry from "prom-client/lib/registry.js";
import type { Family, Sample } from "./families.ts";

/** The content type of the text below (Prometheus' text format, version 0.0.4). */
export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** The samples in Prometheus' text format, family by family. @throws Error for two samples with the same labels in one family */
export async function exposition(samples: readonly Sample[]): Promise<string> {
  const registry = new Registry();
  const byFamily = Map.groupBy(samples, ({ family }) => family);
  for (const [family, its] of byFamily) {
    requireDistinct(family, its);
    const metric = metricOf(family, registry);
    // A new counter is 0, so `inc` sets its value.
    for (const { labels, value } of its) metric.inc(labels, value);
  }
  return registry.metrics();
}

function metricOf({ name, type, help, labels }: Family, registry: Registry): Counter | Gauge {
  const options = { name, help, labelNames: Object.keys(labels), registers: [registry] };
  return type === "counter" ? new Counter(options) : new Gauge(options);
}

/** prom-client would silently add up duplicates. */
function requireDistinct({ name, labels: names }: Family, samples: readonly Sample[]): void {
  const seen = new Set(samples.map(({ labels }) => JSON.stringify(Object.keys(names).map((label) => labels[label] ?? null))));
  if (seen.size < samples.length) throw new Error(`a sample of ${name} comes twice`);
}
