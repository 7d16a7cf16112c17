/**
 * The parts of prom-client that are used here, each from its own file. The whole package also loads Node's cluster, performance hooks and a
 * tracing API, and takes ten times as long to load.
 */
declare module "prom-client/lib/registry.js" {
  export { Registry as default } from "prom-client";
}
declare module "prom-client/lib/gauge.js" {
  export { Gauge as default } from "prom-client";
}
declare module "prom-client/lib/counter.js" {
  export { Counter as default } from "prom-client";
}
