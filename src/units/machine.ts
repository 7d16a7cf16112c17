import { defineUnit, type Unit, type UnitDefinition } from "../boot/unit.ts";
import type { Layout } from "../config/layout.ts";
import type { Host } from "../system/host.ts";

/** What a unit may look at and act on: the machine's tools and files, and the names of things on it. */
export interface Machine {
  readonly host: Host;
  readonly layout: Layout;
}

export type GuestUnit = Unit<Machine>;

/** Defines a unit of a GuestOS; see docs/adding-a-unit.md. */
export function unit(definition: UnitDefinition<Machine>): GuestUnit {
  return defineUnit(definition);
}
