import { defineUnit, type Unit, type UnitDefinition } from "../boot/unit.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { MediumContents } from "../medium/medium-contents.ts";
import type { Host } from "../system/host.ts";
import type { FreshRules } from "./network/fresh-rules.ts";
import type { KeyRing } from "./disks/key-ring.ts";

/** What a unit may inspect and act on: the machine's tools and files, and the names of its devices and paths. */
export interface Machine {
  readonly host: Host;
  readonly layout: Layout;
  /** What a configuration medium of this system may hold. It imports the parser of every format, so it is loaded on demand. */
  readonly medium: () => Promise<MediumContents>;
  /** The keys of the encrypted devices, derived once per run. */
  readonly keys: KeyRing;
  /** The digest of the packet filter's rules, if this run has just loaded them. */
  readonly freshRules: FreshRules;
  /** Tells the operator something that stops nothing: an entry that was ignored, a key that was replaced. Never a secret. */
  readonly note: (text: string) => void;
}

/** What a watcher may inspect. A watcher changes nothing. */
export type WatchedMachine = Pick<Machine, "host" | "layout">;

export type GuestUnit = Unit<Machine>;

/** Defines a unit of a GuestOS; see docs/adding-a-unit.md. */
export function unit(definition: UnitDefinition<Machine>): GuestUnit {
  return defineUnit(definition);
}
