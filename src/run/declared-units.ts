import { join } from "node:path";
import { type BootConfig, ExtraUnit, isUnitName, UNIT_NAME } from "../config/boot-config.ts";
import { quoted } from "../base/quoted.ts";
import { parseYaml, type YamlFile } from "../config/text/yaml-file.ts";
import type { Host } from "../system/host.ts";
import { type Place, type Problem, ProblemError, toProblem } from "../base/problem.ts";
import { requireRootsAlone } from "../system/files/owned-by-root.ts";

/** An extra unit as it is described somewhere; its names are not looked up yet. */
export interface DeclaredUnit extends ExtraUnit {
  readonly name: string;
  readonly executable: string;
  /** Where one of its keys stands. */
  readonly at: (key: keyof ExtraUnit) => Place;
}

/** Extra units of config.yaml and of units.d, each of which is left out for itself when it cannot be used. */
export async function declaredUnits(
  host: Host,
  folder: string,
  config: YamlFile<BootConfig> | undefined,
): Promise<{ readonly declared: readonly DeclaredUnit[]; readonly problems: readonly Problem[] }> {
  const inConfig = Object.entries(config?.value.extraUnits ?? {}).map(([name, unit]) => ({
    ...unit,
    name,
    at: (key: keyof ExtraUnit) => ({ file: config?.file ?? "", ...config?.keyAt(["extraUnits", name, key]) }),
  }));
  const declared: DeclaredUnit[] = [...inConfig];
  const problems: Problem[] = [];
  try {
    for (const name of (await host.list(folder)) ?? []) {
      try {
        // As an editor leaves them behind.
        if (!name.startsWith(".")) declared.push(await dropIn(host, join(folder, name), name));
      } catch (error) {
        problems.push(toProblem(error));
      }
    }
  } catch (error) {
    problems.push(toProblem(error));
  }
  return { declared, problems };
}

/** units.d/NAME: unit.yaml describes it, and NAME is run, so that a record full of them can be read. */
async function dropIn(host: Host, folder: string, name: string): Promise<DeclaredUnit> {
  if (!isUnitName(name)) {
    throw new ProblemError({
      code: "extra-unit-name-wrong",
      what: "an extra unit cannot be named so",
      where: { file: folder },
      found: quoted(name),
      expected: UNIT_NAME,
      todo: "name its folder otherwise",
    });
  }
  const path = join(folder, "unit.yaml");
  await requireRootsAlone(host, path, "file");
  const { file, value, keyAt } = await parseYaml((await host.readBytes(path)) ?? new Uint8Array(), path, ExtraUnit);
  return { ...value, name, executable: join(folder, name), at: (key) => ({ file, ...keyAt([key]) }) };
}
