import { guestosLayout, type Layout } from "../../src/config/layout/layout.ts";
import type { Host } from "../../src/system/host.ts";
import { profiles } from "../../src/profiles/profiles.ts";
import { freshRules } from "../../src/units/network/fresh-rules.ts";
import type { Machine } from "../../src/units/machine.ts";

export interface TestMachine<H extends Host = Host> extends Machine {
  readonly host: H;
  readonly notes: string[];
}

/** A machine for units that need no keys: asking for one fails the test. */
export function testMachine<H extends Host>(host: H, layout: Layout = guestosLayout, medium = profiles.guestos.medium): TestMachine<H> {
  const notes: string[] = [];
  const keys = { deviceKey: async (): Promise<never> => Promise.reject(new Error("this unit needs no key")) };
  return { host, layout, medium, keys, freshRules: freshRules(), notes, note: (text) => void notes.push(text) };
}
