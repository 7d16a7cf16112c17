import { provision } from "../../../src/boot/unit.ts";
import type { GuestUnit } from "../../../src/units/machine.ts";
import { guestos } from "../../support/chains.ts";
import { makeStoreKey, readStoreKey } from "../../../src/units/disks/key-ring.ts";
import { plantedUnits } from "./planted.ts";

const units: readonly GuestUnit[] = [...guestos, ...plantedUnits()];

/**
 * Units that are nothing without real disks, or a real systemd: here they find that all is as it should be. They are cut in virtual
 * machines: by the replayed disk, and by test/vm and test/power. Whatever is not named here is killed at each of its effects.
 */
const ELSEWHERE: readonly string[] = [
  ...["mount-boot", "var", "volumes", "volume-filesystems", "volume-mounts"],
  ...["system-bus", "network-applied", "ipv6-monitor", "journalbeat", "node-exporter"],
];

/** What of a unit can be here without its device. */
const PARTS: Readonly<Record<string, GuestUnit["plan"]>> = {
  "store-key": async ({ host, layout }) =>
    (await readStoreKey(host, layout)) === undefined ? [provision("make the store key", async () => makeStoreKey(host, layout))] : [],
};

/** The chain of a GuestOS, as far as it can run on files and in namespaces. */
export const chain: readonly GuestUnit[] = (() => {
  const known = new Map<GuestUnit, GuestUnit>();
  const here = (unit: GuestUnit): GuestUnit => {
    const made = known.get(unit) ?? {
      ...unit,
      requires: unit.requires.map(here),
      after: unit.after.map(here),
      plan: ELSEWHERE.includes(unit.name) ? async () => [] : (PARTS[unit.name] ?? unit.plan),
    };
    known.set(unit, made);
    return made;
  };
  return units.map(here);
})();

/** Units that are killed here. */
export const killedUnits: readonly string[] = units.map(({ name }) => name).filter((name) => !ELSEWHERE.includes(name));
/** Of the others, those that the chain no longer has. */
export const unknownElsewhere: readonly string[] = ELSEWHERE.filter((name) => guestos.every((unit) => unit.name !== name));
