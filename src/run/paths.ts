import { join } from "node:path";
import type { Layout } from "../config/layout/layout.ts";

/** Files of the program's own, below `layout.run`. */
export function paths({ run }: Layout): {
  readonly lock: string;
  readonly record: string;
  readonly monitor: string;
  readonly ended: string;
} {
  return { lock: join(run, "lock"), record: join(run, "record.jsonl"), monitor: join(run, "monitor.json"), ended: join(run, "ended") };
}
