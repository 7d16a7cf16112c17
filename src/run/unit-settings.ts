import { changedUnits } from "../boot/graph.ts";
import type { BootConfig, UnitSettings } from "../config/boot-config.ts";
import { type Finding, refuseFindings } from "../base/finding.ts";
import { perhaps } from "../base/nearest.ts";
import { quoted } from "../base/quoted.ts";
import type { YamlFile } from "../config/text/yaml-file.ts";
import type { GuestUnit } from "../units/machine.ts";

/**
 * The units with the settings of a configuration file, without the units that it switches off.
 *
 * @throws ProblemError for an unknown unit, a unit that is off but required by others, and a `retryFor` not below the timeout
 */
export function withSettings(units: readonly GuestUnit[], { file, value, keyAt }: YamlFile<BootConfig>): readonly GuestUnit[] {
  const settings = new Map(Object.entries(value.units));
  const changed = changedUnits(units, (unit) => withSetting(unit, settings.get(unit.name)));
  const isOn = ({ name }: GuestUnit): boolean => settings.get(name)?.off !== true;
  const findings = [...settings].flatMap(([name, { off }]): Finding | readonly Finding[] => {
    const unit = changed.find((candidate) => candidate.name === name);
    if (unit === undefined) return unknownUnit(name, units, keyAt(["units", name]));
    const by = changed.filter((other) => isOn(other) && other.requires.includes(unit)).map((other) => other.name);
    if (off && by.length > 0) {
      return {
        ...keyAt(["units", name, "off"]),
        code: "required-unit-off",
        what: `${name} is disabled`,
        found: `required by ${by.join(", ")}`,
        expected: "no enabled unit that requires it",
      };
    }
    if (unit.retryFor >= unit.timeout && unit.retryFor > 0) {
      return {
        ...keyAt(["units", name, "retryFor"]),
        code: "no-time-for-retries",
        what: `${name} has no time for its retries`,
        found: `retryFor ${unit.retryFor / 1000}, timeout ${unit.timeout / 1000}`,
        expected: "retryFor below timeout",
      };
    }
    return [];
  });
  refuseFindings(file, findings);
  return changed.filter(isOn);
}

function withSetting(unit: GuestUnit, settings: UnitSettings | undefined): GuestUnit {
  const { timeout, retryFor, onFailure } = settings ?? {};
  return {
    ...unit,
    ...(timeout === undefined ? {} : { timeout: timeout * 1000 }),
    ...(retryFor === undefined ? {} : { retryFor: retryFor * 1000 }),
    ...(onFailure === undefined ? {} : { onFailure }),
  };
}

function unknownUnit(name: string, units: readonly GuestUnit[], place: Pick<Finding, "line" | "column">): Finding {
  const names = units.map((unit) => unit.name);
  return {
    ...place,
    code: "unknown-unit-setting",
    what: "there is no such unit",
    found: quoted(name),
    expected: perhaps(name, names, "a name from guestos-boot list"),
  };
}
