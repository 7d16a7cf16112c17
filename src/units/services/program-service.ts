import { join } from "node:path";
import { activate, type Plan } from "../../boot/unit.ts";
import { environmentFile } from "../../config/text/environment-file.ts";
import { areThere, planConfiguredService, type ServiceFile, writeServiceFile } from "./configured-service.ts";
import type { Machine } from "../machine.ts";

/** A program that an image may or may not have. The image has its unit file in both cases (etc/boundary). */
export interface ProgramService {
  /** Name of the unit file, and of the file with its environment. */
  readonly name: string;
  /** Path of the program, whether or not it is installed. */
  readonly program: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly does: string;
}

/** Path of that part of the medium on the config partition; `undefined` if the medium did not bring it. */
export async function injectedPath({ host, layout }: Machine, name: string): Promise<string | undefined> {
  const path = join(layout.mountPoints.config, name);
  return (await host.stat(path)) === undefined ? undefined : path;
}

/** The actions after which the program runs with that environment. A program that the image does not have is noted as absent: no error. */
export async function planProgram(machine: Machine, { name, program, environment, does }: ProgramService): Promise<Plan> {
  const { host, layout } = machine;
  const file: ServiceFile = { path: join(layout.environments, name), content: environmentFile(environment), mode: 0o600 };
  const facts = await host.stat(program);
  const isInstalled = facts?.kind === "link" || (facts?.kind === "file" && (facts.mode & 0o111) !== 0);
  if (isInstalled) return planConfiguredService(machine, { service: `${name}.service`, files: [file], renew: "restart", does });
  if (await areThere(machine, [file])) return [];
  return [
    activate(`write the environment of ${name}, which is not installed`, async () => {
      machine.note(`absent: this image has no ${program}`);
      await writeServiceFile(machine, file);
    }),
  ];
}
