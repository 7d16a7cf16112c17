import { defineUnit, type Unit, type UnitDefinition } from "../boot/unit.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { MediumContents } from "../medium/medium-contents.ts";
import type { Host } from "../system/host.ts";
import type { FreshRules } from "./network/fresh-rules.ts";
import type { KeyRing } from "./disks/key-ring.ts";

/** What a unit may look at and act on: the machine's tools and files, and the names of things on it. */
export interface Machine {
  readonly host: Host;
  readonly layout: Layout;
  /** What a configuration medium of this system may hold. It brings every format with it, so it is loaded when asked for. */
  readonly medium: () => Promise<MediumContents>;
  /** The keys of the encrypted devices, derived once a run. */
  readonly keys: KeyRing;
  /** What the packet filter holds, where this run has just loaded it. */
  readonly freshRules: FreshRules;
  /** Tells the operator something that stops nothing: an entry that was ignored, a half pair that was healed. Never a secret. */
  readonly note: (text: string) => void;
}

export type GuestUnit = Unit<Machine>;

/** Defines a unit of a GuestOS; see docs/adding-a-unit.md. */
export function unit(definition: UnitDefinition<Machine>): GuestUnit {
  return defineUnit(definition);
}
