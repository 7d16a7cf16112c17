import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";

/** What a watcher may look at: it acts on nothing. */
export interface WatchedMachine {
  readonly host: Host;
  readonly layout: Layout;
}
