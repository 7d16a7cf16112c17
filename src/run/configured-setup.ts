import { changedUnits } from "../boot/graph.ts";
import { conflict, isConflict } from "../boot/unit.ts";
import { BootConfig } from "../config/boot-config.ts";
import { configuredLayout } from "../config/layout/configured-layout.ts";
import type { Layout } from "../config/layout/layout.ts";
import { parseYaml, type YamlFile } from "../config/text/yaml-file.ts";
import type { Host } from "../system/host.ts";
import { oneLine, type Problem, toProblem } from "../base/problem.ts";
import { requireRootsAlone } from "../system/files/owned-by-root.ts";
import { type GuestUnit, unit } from "../units/machine.ts";
import { declaredUnits } from "./declared-units.ts";
import { linkedUnits } from "./linked-units.ts";
import type { Setup } from "./setup.ts";
import { withSettings } from "./unit-settings.ts";

/**
 * The setup with the settings of config.yaml and units.d.
 *
 * A boot must result in any case, so nothing is thrown. Unusable parts are left out and reported: by a unit that degrades the boot, and to
 * people by `requireConfiguration`.
 */
export async function configuredSetup(setup: Setup, host: Host): Promise<Setup> {
  const maintenance = await setup.maintenance();
  // The chain and the maintenance units together: each may require units of the other.
  const { file, problem, layout, units } = await configOrDefaults(host, setup.layout, [...setup.chain, ...maintenance]);
  const configured = new Map(units.map((unit) => [unit.name, unit]));
  const chain = setup.chain.flatMap(({ name }) => configured.get(name) ?? []);
  const { declared, problems: undeclared } = await declaredUnits(host, setup.layout.etc.ownUnits, file);
  const linked = linkedUnits(declared, {
    chain,
    off: setup.chain.map(({ name }) => name).filter((name) => !configured.has(name)),
    taken: [...maintenance.map(({ name }) => name), CONFIGURATION],
  });
  const problems = [...(problem === undefined ? [] : [problem]), ...undeclared, ...linked.problems];
  return {
    ...(setup.profile === undefined ? {} : { profile: setup.profile }),
    layout,
    medium: setup.medium,
    health: setup.health,
    chain: [...configurationUnit(problems), ...chain, ...linked.units],
    maintenance: async () => maintenance.flatMap(({ name }) => configured.get(name) ?? []),
    configuration: {
      files: [...new Set([...(file === undefined ? [] : [file.file]), ...declared.map(({ at }) => at("title").file)])],
      executables: declared.filter(({ name }) => linked.units.some((unit) => unit.name === name)).map(({ executable }) => executable),
      problems,
    },
  };
}

interface Configured {
  readonly layout: Layout;
  /** Without the units that are switched off. */
  readonly units: readonly GuestUnit[];
  /** Absent where there is no file, and where it cannot be used. */
  readonly file?: YamlFile<BootConfig>;
  readonly problem?: Problem;
}

async function configOrDefaults(host: Host, layout: Layout, units: readonly GuestUnit[]): Promise<Configured> {
  try {
    const file = await readConfig(host, layout.etc.ownConfig);
    if (file === undefined) return { layout, units };
    return { layout: configuredLayout(layout, file.value.layout), units: withSettings(units, file), file };
  } catch (error) {
    const problem = toProblem(error);
    return { layout, units: changedUnits(units, (unit) => notByDefaults(unit, problem)), problem };
  }
}

/** @throws ProblemError for every mistake that the file alone shows */
async function readConfig(host: Host, path: string): Promise<YamlFile<BootConfig> | undefined> {
  if ((await host.stat(path)) === undefined) return undefined;
  await requireRootsAlone(host, path, "file");
  const content = await host.readBytes(path);
  return content === undefined ? undefined : parseYaml(content, path, BootConfig);
}

/** A provisioned node starts as it is. On any other node, nothing permanent is made whose intended shape is unknown. */
function notByDefaults(unit: GuestUnit, { where }: Problem): GuestUnit {
  if (!unit.shapesDisks) return unit;
  return {
    ...unit,
    async plan(machine) {
      const plan = await unit.plan(machine);
      const made = isConflict(plan) ? undefined : plan.find(({ effect }) => effect === "provision");
      if (made === undefined) return plan;
      return conflict({
        code: "defaults-not-used",
        what: "not done with the default settings, because the configuration, which may change them, cannot be used",
        ...(where === undefined ? {} : { where }),
        found: `to do: ${made.description}`,
        todo: REPAIR,
      });
    },
  };
}

const CONFIGURATION = "configuration";
const REPAIR = "guestos-boot verify lists all problems; correct them, and boot again";

/** Reports the configuration's problems where all other problems of a boot are reported. */
function configurationUnit(problems: readonly Problem[]): readonly GuestUnit[] {
  const [first, ...more] = problems;
  if (first === undefined) return [];
  const report = unit({
    name: CONFIGURATION,
    title: "Read the configuration in /etc/guestos-boot",
    onFailure: "degrade",
    plan: async () =>
      conflict({
        ...first,
        what: more.length === 0 ? first.what : `${first.what}, and ${more.length} more`,
        ...(more.length === 0 ? {} : { found: problems.map(oneLine).join("; ") }),
        todo: REPAIR,
      }),
  });
  return [report];
}
