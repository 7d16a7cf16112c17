import { setTimeout } from "node:timers/promises";
import { provision } from "../../../src/boot/unit.ts";
import { DEFAULT_PROFILE, type ProfileName, profileNames, profiles } from "../../../src/profiles/profiles.ts";
import type { GuestUnit } from "../../../src/units/machine.ts";
import { makeStoreKey, storeKeyKind } from "../../../src/units/disks/key-ring.ts";
import { chance } from "./chance.ts";
import { target } from "./hook.ts";
import { plantedUnits } from "./planted.ts";

/**
 * Units that are nothing without real disks, or a real systemd: here they find that all is as it should be. They are cut in virtual
 * machines: by the replayed disk, and by test/vm and test/power. Whatever is not named here is killed at each of its effects.
 */
export const ELSEWHERE: readonly string[] = [
  ...["mount-boot", "var", "plain-var", "volumes", "volume-filesystems", "volume-mounts"],
  ...[
    "system-bus",
    "network-applied",
    "ipv6-monitor",
    "nftables-names",
    "journalbeat",
    "journal-gateway",
    "node-exporter",
    "nginx",
    "danted",
    "orchestrator",
    "huge-pages",
    "guest-vm",
  ],
  // Of an installer: they work on whole drives, or on a stick (test/power/setupos.test.ts).
  ...[
    "mount-stick",
    "check-hardware",
    "check-network",
    "check-time",
    "check-nns",
    "check-elected-version",
    "check-images",
    "check-hsm",
    "setup-disk",
  ],
  ...["install-hostos", "install-guestos", "setup-hostos-config", "setup-boot-loader"],
];

/** What of a unit can be here without its device. */
const PARTS: Readonly<Record<string, GuestUnit["plan"]>> = {
  "store-key": async ({ host, layout }) =>
    (await storeKeyKind(host, layout)) === undefined ? [provision("make the store key", async () => makeStoreKey(host, layout))] : [],
};

/** A unit of several profiles is one object in all of them, here too. */
const known = new Map<GuestUnit, GuestUnit>();

function here(unit: GuestUnit): GuestUnit {
  const made = known.get(unit) ?? {
    ...unit,
    requires: unit.requires.map(here),
    after: unit.after.map(here),
    ...(target.moment.kind === "hang" ? { timeout: target.moment.timeout } : {}),
    plan: inItsOrder(unit.name, ELSEWHERE.includes(unit.name) ? async () => [] : (PARTS[unit.name] ?? unit.plan)),
  };
  known.set(unit, made);
  return made;
}

/** Milliseconds that a unit waits at most: it is longer than most units take. */
const LONGEST_WAIT = 100;

function inItsOrder(name: string, plan: GuestUnit["plan"]): GuestUnit["plan"] {
  const { moment } = target;
  if (moment.kind !== "order") return plan;
  return async (machine) => {
    await setTimeout(chance(`${moment.seed} ${name}`) * LONGEST_WAIT);
    return plan(machine);
  };
}

const planted = plantedUnits();

/** The chain of each profile, as far as it can run on files and in namespaces. What a test plants is in the first one. */
export const chains = new Map<ProfileName, readonly GuestUnit[]>(
  await Promise.all(
    profileNames.map(async (profile): Promise<[ProfileName, readonly GuestUnit[]]> => {
      const units = [...(await profiles[profile].chain()), ...(profile === DEFAULT_PROFILE ? planted : [])];
      return [profile, units.map(here)];
    }),
  ),
);

export interface KilledUnit {
  readonly profile: ProfileName;
  readonly unit: GuestUnit;
}

/** Units that are killed here, each in the first profile that has it. */
export const killedUnits: readonly KilledUnit[] = [...chains].flatMap(([profile, units], index) => {
  const before = new Set([...chains.values()].slice(0, index).flat());
  return units.filter((unit) => !before.has(unit) && !ELSEWHERE.includes(unit.name)).map((unit) => ({ profile, unit }));
});
