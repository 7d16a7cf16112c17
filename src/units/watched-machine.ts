import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";

/** What a watcher may inspect. A watcher changes nothing. */
export interface WatchedMachine {
  readonly host: Host;
  readonly layout: Layout;
}
