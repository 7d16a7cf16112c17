import { guestosLayout } from "../../src/config/layout/layout.ts";
import type { CheckedNode } from "../../src/doctor/check.ts";
import { profiles } from "../../src/profiles/profiles.ts";
import { guestos } from "./chains.ts";
import type { Host } from "../../src/system/host.ts";

/** A node for checks: nothing runs on it, unless the test says so. */
export function testNode(host: Host, given: Partial<CheckedNode> = {}): CheckedNode {
  return {
    layout: guestosLayout,
    medium: profiles.guestos.medium,
    chain: guestos,
    maintenance: [],
    facts: { bootId: "b", version: "1", slot: "A", pid: 1, stage: undefined },
    monitorFile: "/run/guestos-boot/monitor.json",
    hostFor: ({ signal }) => ({ ...host, signal }),
    ...given,
  };
}
