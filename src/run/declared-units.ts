import { join } from "node:path";
import { type BootConfig, ExtraUnit, isUnitName, UNIT_NAME } from "../config/boot-config.ts";
import { quoted } from "../base/quoted.ts";
import { parseYaml, type YamlFile } from "../config/text/yaml-file.ts";
import type { Host } from "../system/host.ts";
import { type Place, type Problem, ProblemError, toProblem } from "../base/problem.ts";
import { requireRootsAlone } from "../system/files/owned-by-root.ts";

/** An extra unit as its file declares it; the names in it are not resolved yet. */
export interface DeclaredUnit extends ExtraUnit {
  readonly name: string;
  readonly executable: string;
  /** The place of one of its keys in the file. */
  readonly at: (key: keyof ExtraUnit) => Place;
}

/** Reads the extra units of config.yaml and of units.d. One that cannot be used is left out without affecting the others. */
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
        // Editors leave such files behind.
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

/** Reads units.d/NAME. unit.yaml declares the unit, and NAME is the program, so that the record shows the unit's name for each run. */
async function dropIn(host: Host, folder: string, name: string): Promise<DeclaredUnit> {
  if (!isUnitName(name)) {
    throw new ProblemError({
      code: "extra-unit-name-wrong",
      what: "the name of an extra unit is not valid",
      where: { file: folder },
      found: quoted(name),
      expected: UNIT_NAME,
      todo: "rename its folder",
    });
  }
  const path = join(folder, "unit.yaml");
  await requireRootsAlone(host, path, "file");
  const { file, value, keyAt } = await parseYaml((await host.readBytes(path)) ?? new Uint8Array(), path, ExtraUnit);
  return { ...value, name, executable: join(folder, name), at: (key) => ({ file, ...keyAt([key]) }) };
}
